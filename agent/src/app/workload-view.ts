import type { TrustBundle, X509Svid } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';

/** One identity with the SVID that may be handed out for it now. */
interface ViewIdentity {
  readonly entry: AgentEntry;
  readonly svid: X509Svid;
}

/** Everything that one set of selectors is entitled to at one moment. Immutable: a change makes another view. */
export interface WorkloadView {
  /** Sorted by id. */
  readonly entries: readonly AgentEntry[];
  /** In the order of `entries`, those whose X509-SVID is in stock. */
  readonly identities: readonly ViewIdentity[];
  /** False while the first X509-SVID of some entry is still on its way. */
  readonly settled: boolean;
  readonly bundle: TrustBundle;
  /** Of the trust domains that the entries federate with, as far as known, sorted by name. */
  readonly federatedBundles: readonly TrustBundle[];
}

/** Whether somebody holding `a` would learn nothing from `b`. */
export function sameView(a: WorkloadView, b: WorkloadView): boolean {
  return (
    a.settled === b.settled &&
    a.bundle === b.bundle &&
    sameItems(a.entries, b.entries) &&
    sameItems(a.federatedBundles, b.federatedBundles) &&
    sameItems(
      a.identities.map(({ svid }) => svid),
      b.identities.map(({ svid }) => svid),
    )
  );
}

/** The view in which of entries with the same non-empty hint only the oldest is left (Workload API section 5.2.1). */
export function withoutDuplicateHints(view: WorkloadView): WorkloadView {
  const oldest = new Map<string, AgentEntry>();
  for (const entry of view.entries) {
    const other = oldest.get(entry.hint);
    if (other === undefined || isOlder(entry, other)) oldest.set(entry.hint, entry);
  }
  const stays = (entry: AgentEntry) => entry.hint === '' || oldest.get(entry.hint) === entry;
  if (view.entries.every(stays)) return view;
  const entries = view.entries.filter(stays);
  return { ...view, entries, identities: view.identities.filter(({ entry }) => stays(entry)) };
}

function isOlder(a: AgentEntry, b: AgentEntry): boolean {
  return a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
