import { BundleSet } from '../bundle/bundle-set.ts';
import { TrustBundle } from '../bundle/trust-bundle.ts';
import { encodeOid, sequence } from '../der/writer.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { type VerifiedX509Svid, verifyX509Svid } from '../svid/verify-x509-svid.ts';
import { errorOf } from './error-of.ts';
import { caWithPathLength, type Forger, type Forgery, forge, forgeCa, NOW } from './forge-certificate.ts';

/** Two trust domains with a root each, and an intermediate below the first. */
export const rootA = forgeCa('root a', { uris: ['spiffe://a.test'] });
export const rootB = forgeCa('root b', { uris: ['spiffe://b.test'] });
export const intermediate = forgeCa('intermediate', { by: rootA, uris: ['spiffe://a.test'] });

export const bundle = (name: string, ...roots: readonly Forger[]): TrustBundle =>
  TrustBundle.of(TrustDomain.parse(name), {
    x509Authorities: roots.map(({ certificate }) => ({ certificate, tainted: false })),
  });
export const bundles = BundleSet.of(
  bundle('a.test', rootA),
  bundle('b.test', rootB),
  bundle('.a.test', rootA),
  bundle('empty.test'),
);

export const leaf = (forgery: Forgery = {}): Forger => forge({ by: rootA, ...forgery });

export function verify(chain: readonly Forger[], now = NOW, from = bundles): VerifiedX509Svid {
  const certificates = chain.map(({ certificate }) => certificate);
  return verifyX509Svid(certificates, from, { now });
}

/** Code and rule of the refusal. */
export function refusal(chain: readonly Forger[], now = NOW, from = bundles): string {
  const { code, rule } = errorOf(() => verify(chain, now, from));
  return `${code} ${rule}`;
}

/** An ECDSA signature of a freely chosen identifier and digest. */
export function ecdsa(arc: string, hash: string): NonNullable<Forgery['signature']> {
  return { hash, algorithm: sequence(encodeOid(`1.2.840.10045.4.${arc}`)) };
}

/** A leaf below two intermediates, of which the upper allows so many below it. */
export function pathLength(limit: number): Forger[] {
  const upper = forgeCa('upper', { by: rootA, basicConstraints: caWithPathLength(limit) });
  const lower = forgeCa('lower', { by: upper });
  return [leaf({ by: lower }), lower, upper];
}
