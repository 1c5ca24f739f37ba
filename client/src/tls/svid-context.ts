import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { toPem, type X509Svid } from '@steeple/spiffe';

/** TLS 1.2 suites with forward secrecy and AEAD; TLS 1.3 has its own list. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Key exchanges that keep what is recorded today from whoever has a quantum computer later. They need OpenSSL 3.5. */
const POST_QUANTUM = 'X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024';

/** Options of `node:tls` under which only such a key exchange is agreed upon. */
export const postQuantumOnly: SecureContextOptions = { minVersion: 'TLSv1.3', ecdhCurve: POST_QUANTUM };

/**
 * The TLS context options every SPIFFE endpoint shares. No tickets, because a resumed session skips certificates; no
 * renegotiation, because it could change the certificate after it was checked. `ca` stays unset on purpose: Node would
 * append it to the chain we send, and would merge the roots of all trust domains.
 */
export function contextOptions(svid: X509Svid | undefined, requirePostQuantum = false): SecureContextOptions {
  return {
    ...(svid === undefined ? {} : { cert: chainPem(svid), key: keyPem(svid) }),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ...(requirePostQuantum && postQuantumOnly),
  };
}

/** The context presenting `svid` (or nothing); made once per SVID. */
export function secureContext(svid: X509Svid | undefined, requirePostQuantum = false): SecureContext {
  // Whoever asks for this has one peer and few connections.
  if (requirePostQuantum) return createSecureContext(contextOptions(svid, true));
  if (svid === undefined) return (anonymous ??= createSecureContext(contextOptions(undefined)));
  let context = contexts.get(svid);
  if (context === undefined) {
    context = createSecureContext(contextOptions(svid));
    contexts.set(svid, context);
  }
  return context;
}

let anonymous: SecureContext | undefined;
const contexts = new WeakMap<X509Svid, SecureContext>();

function chainPem(svid: X509Svid): string {
  return svid.chain.map((certificate) => toPem('CERTIFICATE', certificate.raw)).join('');
}

function keyPem(svid: X509Svid): string {
  return svid.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
