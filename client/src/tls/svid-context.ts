import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { toPem, type X509Svid } from '@steeple/spiffe';
import { hardened } from './hardened.ts';

/** Key exchanges that keep what is recorded today from whoever has a quantum computer later. They need OpenSSL 3.5. */
const POST_QUANTUM = 'X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024';

/** Options of `node:tls` under which only such a key exchange is agreed upon. */
export const postQuantumOnly: SecureContextOptions = { minVersion: 'TLSv1.3', ecdhCurve: POST_QUANTUM };

/**
 * The TLS context options every SPIFFE endpoint shares. `ca` stays unset on purpose: Node would append it to the chain we
 * send, and would merge the roots of all trust domains.
 */
export function contextOptions(svid: X509Svid | undefined, requirePostQuantum = false): SecureContextOptions {
  return {
    ...(svid === undefined ? {} : { cert: chainPem(svid), key: keyPem(svid) }),
    ...hardened,
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
