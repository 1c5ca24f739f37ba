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
  /** Only those that an identity federates with, sorted by trust domain. */
  readonly federatedBundles: readonly TrustBundle[];
}

/**
 * What a workload with these identities receives. `bundles` are all foreign bundles at hand; one that is missing is left
 * out until it arrives.
 */
export function workloadUpdate(
  identities: readonly WorkloadIdentity[],
  bundle: TrustBundle,
  bundles: Iterable<TrustBundle>,
): WorkloadUpdate {
  const served = visibleIdentities(identities);
  const wanted = new Set(served.flatMap(({ entry }) => entry.federatesWith));
  wanted.delete(bundle.trustDomain.name);
  const federated = new Map([...bundles].map((b) => [b.trustDomain.name, b]));
  return {
    identities: served,
    bundle,
    federatedBundles: [...wanted]
      .sort()
      .map((name) => federated.get(name))
      .filter((b) => b !== undefined),
  };
}

/**
 * The identities a workload is shown, sorted by entry id: those for a store are not, and of several with the same hint
 * only the oldest is, because a hint must tell them apart (SPIFFE Workload API 5.2.1).
 */
export function visibleIdentities<T extends { readonly entry: RegistrationEntry }>(identities: readonly T[]): T[] {
  const oldestByHint = new Map<string, RegistrationEntry>();
  for (const { entry } of identities) {
    const rival = oldestByHint.get(entry.hint);
    if (isServed(entry) && (rival === undefined || isOlder(entry, rival))) oldestByHint.set(entry.hint, entry);
  }
  return identities
    .filter(({ entry }) => isServed(entry) && (entry.hint === '' || oldestByHint.get(entry.hint)?.id === entry.id))
    .sort((a, b) => compareIds(a.entry, b.entry));
}

function isServed(entry: RegistrationEntry): boolean {
  return !entry.storeSvid;
}

function isOlder(a: RegistrationEntry, b: RegistrationEntry): boolean {
  return a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt;
}

function compareIds(a: RegistrationEntry, b: RegistrationEntry): number {
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
