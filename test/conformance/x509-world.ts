// Certificates as they should be, and a verifier of ours that trusts a.test and b.test.
import {
  BundleSet,
  type Certificate,
  parseCertificate,
  TrustBundle,
  TrustDomain,
  verifyX509Svid,
} from '@steeple/spiffe';
import { type Forged, type ForgeOptions, forgeCertificate, goodLeaf, goodRoot } from '@steeple/test-kit';

export const NOW = 1_900_000_000;
export const ROOTS = {
  a: forgeCertificate(goodRoot('a.test', NOW)),
  b: forgeCertificate(goodRoot('b.test', NOW)),
} as const;

export const certificateOf = ({ der }: Forged): Certificate => parseCertificate(der);
export const rootsOf = (name: string, ...roots: readonly Forged[]): TrustBundle =>
  TrustBundle.of(TrustDomain.parse(name), {
    x509Authorities: roots.map((root) => ({ certificate: certificateOf(root), tainted: false })),
  });
export const BUNDLES = BundleSet.of(rootsOf('a.test', ROOTS.a), rootsOf('b.test', ROOTS.b), rootsOf('jwt-only.test'));

/** A leaf of `spiffe://a.test/x` below a.test's root, with changes. */
export function leaf(changes: Partial<ForgeOptions> = {}): Forged {
  return forgeCertificate({ ...goodLeaf('spiffe://a.test/x', NOW), issuer: ROOTS.a, ...changes });
}

/** A CA below a.test's root, with changes. */
export function intermediate(changes: Partial<ForgeOptions> = {}): Forged {
  return forgeCertificate({ ...goodRoot('a.test', NOW), commonName: 'intermediate', issuer: ROOTS.a, ...changes });
}

/** The verdict on certificates as a peer sends them, leaf first. */
export const verify = (...chain: readonly Forged[]) => verifyX509Svid(chain.map(certificateOf), BUNDLES, { now: NOW });
