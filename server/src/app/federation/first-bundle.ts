import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { authorizeId, peerChain } from '@steeple/client/tls';
import { type FederationRelationship, IssuerError } from '@steeple/core';
import {
  BundleSet,
  parseBundleDocument,
  parseCertificate,
  parseCertificatesPem,
  TrustBundle,
  type TrustDomain,
  verifyX509Svid,
} from '@steeple/spiffe';
import { endpointAddress } from './bundle-endpoint-address.ts';
import type { EndpointTrust } from './connect-endpoint.ts';
import { fetchBundle } from './fetch-bundle.ts';
import { getDocument } from './get-document.ts';

/** Where the first bundle of another trust domain comes from. */
export type FirstBundleSource =
  | { readonly kind: 'file'; readonly path: string; readonly format: 'pem' | 'spiffe' }
  /** From a URL that the Web's authorities vouch for. */
  | { readonly kind: 'url'; readonly url: string }
  /** From the endpoint itself, believed if it holds the root with this SHA-256 (lower hex) and that root vouches for it. */
  | { readonly kind: 'pin'; readonly sha256: string };

const TIMEOUT = 30;

/**
 * Gets the first bundle of the other side of a relationship, with which later ones are authenticated.
 *
 * @throws Error whose message says what is wrong
 */
export const firstBundle = async (
  source: FirstBundleSource,
  relationship: FederationRelationship,
  trust: EndpointTrust,
  signal: AbortSignal,
): Promise<TrustBundle> => {
  const { trustDomain } = relationship;
  switch (source.kind) {
    case 'file':
      return readBundle(await readFile(source.path, { encoding: 'utf8', signal }), source.format, trustDomain);
    case 'url': {
      const place = { trustDomain, bundleEndpointUrl: source.url, profile: { kind: 'https_web' } } as const;
      return (await fetchBundle(place, trust, signal)).bundle;
    }
    case 'pin':
      return pinnedBundle(source.sha256, relationship, trust, signal);
  }
};

const readBundle = (text: string, format: 'pem' | 'spiffe', trustDomain: TrustDomain): TrustBundle => {
  if (format === 'spiffe') return parseBundleDocument(trustDomain, text);
  const certificates = parseCertificatesPem(text);
  if (certificates.length === 0) throw new Error('there is no certificate in the file');
  return TrustBundle.of(trustDomain, {
    x509Authorities: certificates.map((certificate) => ({ certificate, tainted: false })),
  });
};

/** Nothing of what a stranger says is used before the pinned root, and only it, has vouched for the stranger. */
const pinnedBundle = async (
  sha256: string,
  { trustDomain, bundleEndpointUrl, profile }: FederationRelationship,
  { now }: EndpointTrust,
  signal: AbortSignal,
): Promise<TrustBundle> => {
  if (profile.kind !== 'https_spiffe' || !profile.endpointSpiffeId.trustDomain.equals(trustDomain)) {
    throw new IssuerError(
      'invalid-argument',
      'a pin needs the profile https_spiffe and an endpoint in the same trust domain',
    );
  }
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT * 1000)]);
  const address = endpointAddress(bundleEndpointUrl);
  const socket = await strangerAt(address.host, address.port, address.serverName, bounded);
  const chain = peerChain(socket).map((der) => parseCertificate(der));
  const answer = await getDocument({ socket, peer: 'not known yet' }, address, bounded);
  if (answer.kind !== 'document') throw new Error('the endpoint redirects; a pin is for the endpoint itself');
  const bundle = parseBundleDocument(trustDomain, answer.body);
  const root = bundle.x509Authorities.find(({ certificate }) => fingerprint(certificate.raw) === sha256);
  if (root === undefined) throw new Error('the endpoint publishes no root with this SHA-256 fingerprint');
  const pinned = TrustBundle.of(trustDomain, { x509Authorities: [root] });
  const verified = verifyX509Svid(chain, BundleSet.of(pinned), { now: now() });
  authorizeId(profile.endpointSpiffeId)(verified.id, verified.chain);
  return bundle;
};

const strangerAt = (
  host: string,
  port: number,
  servername: string | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host,
      port,
      // Judged afterwards, before anything that was received is used.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(servername !== undefined && { servername }),
    });
    signal.addEventListener('abort', () => socket.destroy(new Error('aborted')), { once: true });
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed during the TLS handshake')));
    socket.once('secureConnect', () => resolve(socket));
  });

const fingerprint = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');
