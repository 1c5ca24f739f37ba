import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** More certificates than any sane SVID chain; a longer one is cut and then fails verification. */
const MAX_CHAIN = 16;

/**
 * The DER certificates a TLS peer presented, leaf first; empty when it presented none.
 *
 * Not by `getPeerX509Certificate()`: on a client's socket that takes the leaf out of OpenSSL's list, so that a second call
 * answers with the next certificate or with nothing.
 */
export function peerChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<string>();
  // Typed as always there, but Node gives an empty object, or null, where there is no certificate.
  let certificate: Partial<DetailedPeerCertificate> | null | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN) {
    const key = certificate.raw.toString('base64');
    // A self-signed certificate is its own issuer, so the walk would never end.
    if (seen.has(key)) break;
    seen.add(key);
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
