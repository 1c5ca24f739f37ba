import type { JWTBundlesResponse, WITBundlesResponse, X509BundlesResponse } from '@steeple/proto/workload';
import {
  BundleSet,
  parseCertificates,
  parseJwks,
  RevocationList,
  TrustBundle,
  type TrustBundleParts,
  TrustDomain,
} from '@steeple/spiffe';
import { invalidResponse, mandatory, reading } from './invalid-response.ts';

/** X.509 bundles by trust domain; they authenticate X509-SVIDs and nothing else (WAPI-28). */
export function readX509Bundles(message: X509BundlesResponse): BundleSet {
  const bundles = readBundleMap(message.bundles, readX509Authorities);
  bundles.setRevocationLists(readRevocationLists(message.crl));
  return bundles;
}

/** JWT bundles by trust domain; they authenticate JWT-SVIDs and nothing else (WAPI-40). */
export function readJwtBundles(message: JWTBundlesResponse): BundleSet {
  return readBundleMap(message.bundles, (jwks) => ({ jwtAuthorities: parseJwks(jwks, 'jwt') }));
}

/** WIT bundles by trust domain; they authenticate WIT-SVIDs and nothing else (WAPI-60). */
export function readWitBundles(message: WITBundlesResponse): BundleSet {
  return readBundleMap(message.bundles, (jwks) => ({ witAuthorities: parseJwks(jwks, 'wit') }));
}

/** A field of concatenated DER certificates. */
export function readX509Authorities(der: Uint8Array): Pick<TrustBundleParts, 'x509Authorities'> {
  return { x509Authorities: parseCertificates(der).map((certificate) => ({ certificate, tainted: false })) };
}

/**
 * Lists that are all understood, or an invalid message: to pass over one would be to trust what was revoked (WAPI-H3).
 */
export function readRevocationLists(ders: readonly Uint8Array[]): RevocationList[] {
  return ders.map((der) => reading('crl', () => RevocationList.parse(mandatory(der, 'crl'))));
}

/** Reads `spiffe://name` and no other spelling: a path or a bare name would be a second key for the same trust. */
export function readTrustDomainKey(key: string): TrustDomain {
  const trustDomain = reading('bundle key', () => TrustDomain.fromIdOrName(key));
  if (trustDomain.id !== key) throw invalidResponse('bundle key is no trust domain ID');
  return trustDomain;
}

function readBundleMap<V extends string | Uint8Array>(
  bundles: Readonly<Record<string, V>>,
  read: (value: V) => Partial<TrustBundleParts>,
): BundleSet {
  const entries = Object.entries(bundles);
  if (entries.length === 0) throw invalidResponse('no bundles');
  const read1 = ([key, value]: [string, V]) => {
    const trustDomain = readTrustDomainKey(key);
    const parts = reading(`bundle of ${trustDomain.name}`, () => read(mandatory(value, 'bundle')));
    return TrustBundle.of(trustDomain, parts);
  };
  return BundleSet.of(...entries.map(read1));
}
