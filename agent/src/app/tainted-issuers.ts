import type { TrustBundle, X509Svid } from '@steeple/spiffe';

/** Tells SVIDs that stand on an authority known to be compromised; undefined while there is no such authority. */
export function taintedIssuers(bundle: TrustBundle): ((svid: Pick<X509Svid, 'chain'>) => boolean) | undefined {
  const tainted = bundle.x509Authorities.filter((authority) => authority.tainted);
  const ids = new Set(tainted.map(({ certificate }) => certificate.subjectKeyId));
  ids.delete(undefined);
  if (ids.size === 0) return undefined;
  // Any of them: servers below others send the certificates between themselves and the root.
  return ({ chain }) => chain.some(({ authorityKeyId }) => authorityKeyId !== undefined && ids.has(authorityKeyId));
}
