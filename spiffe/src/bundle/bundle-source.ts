import type { TrustDomain } from '../id/trust-domain.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Where a verifier gets bundles: exactly that of the trust domain an SVID names, never a mixture (FED-11). */
export interface BundleSource {
  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined;
}
