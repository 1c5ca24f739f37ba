import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** More certificates than any sane SVID chain; a longer one is cut and then fails verification. */
const MAX_CHAIN = 16;

/** The DER certificates a TLS peer presented, leaf first; empty when it presented none. */
export function peerChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<string>();
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < MAX_CHAIN) {
    const key = certificate.fingerprint256;
    // A self-signed certificate is its own issuer, so the walk would never end.
    if (seen.has(key)) break;
    seen.add(key);
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
