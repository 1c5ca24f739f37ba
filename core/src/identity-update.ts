import type { TrustBundle, X509Svid } from '@steeple/spiffe';
import type { RegistrationEntry } from './entry.ts';

/** One identity of a workload. */
export interface WorkloadIdentity {
  readonly entry: RegistrationEntry;
  readonly svid: X509Svid;
}

/** Everything a workload receives at one moment. */
export interface WorkloadUpdate {
  /** Sorted by entry id. */
  readonly identities: readonly WorkloadIdentity[];
  readonly bundle: TrustBundle;
  /** Only those that an identity federates with. */
  readonly federatedBundles: readonly TrustBundle[];
}
