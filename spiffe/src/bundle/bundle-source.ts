import type { TrustDomain } from '../id/trust-domain.ts';
import type { RevocationList } from '../x509/revocation-list.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Where a verifier gets bundles: exactly that of the trust domain an SVID names, never a mixture (FED-11). */
export interface BundleSource {
  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined;
  /** What authorities of any of these trust domains have revoked; a source without lists leaves it out. */
  revocationLists?(): readonly RevocationList[];
  /**
   * Calls `listener` after each change of what is trusted, until the returned function is called. A source that never
   * changes leaves it out.
   */
  onChange?(listener: () => void): () => void;
}
