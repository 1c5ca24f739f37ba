import type { SpiffeId } from '@steeple/spiffe';
import type { AgentRecord } from './agent-record.ts';
import { isBanned } from './agent-record.ts';
import type { RegistrationEntry } from './entry.ts';
import { matchSelectors, matchSets, type Selector, type SelectorMatch } from './selector.ts';

/** Wanted selectors, and how a record's own relate to them. */
export interface SelectorFilter {
  readonly selectors: readonly Selector[];
  readonly match: SelectorMatch;
}

/** Which entries are wanted; every condition must hold, no condition means all. */
export interface EntryFilter {
  readonly spiffeId?: SpiffeId | undefined;
  readonly parentId?: SpiffeId | undefined;
  readonly selectors?: SelectorFilter | undefined;
  readonly federatesWith?: { readonly trustDomains: readonly string[]; readonly match: SelectorMatch } | undefined;
  readonly hint?: string | undefined;
  readonly downstream?: boolean | undefined;
  readonly admin?: boolean | undefined;
}

/** Which agents are wanted. */
export interface AgentFilter {
  readonly attestationType?: string | undefined;
  readonly selectors?: SelectorFilter | undefined;
  readonly banned?: boolean | undefined;
  readonly canReattest?: boolean | undefined;
  /** Unix seconds. */
  readonly expiresBefore?: number | undefined;
}

/** Whether an entry is wanted. Datastores select with their own means and are held to this. */
export function matchesEntry(entry: RegistrationEntry, filter: EntryFilter): boolean {
  const { spiffeId, parentId, selectors, federatesWith, hint, downstream, admin } = filter;
  return (
    (spiffeId === undefined || entry.spiffeId.equals(spiffeId)) &&
    (parentId === undefined || entry.parentId.equals(parentId)) &&
    (selectors === undefined || matchSelectors(entry.selectors, selectors.selectors, selectors.match)) &&
    (federatesWith === undefined ||
      matchSets(new Set(entry.federatesWith), new Set(federatesWith.trustDomains), federatesWith.match)) &&
    (hint === undefined || entry.hint === hint) &&
    (downstream === undefined || entry.downstream === downstream) &&
    (admin === undefined || entry.admin === admin)
  );
}

/** Whether an agent is wanted; as for entries. */
export function matchesAgent(agent: AgentRecord, filter: AgentFilter): boolean {
  const { attestationType, selectors, banned, canReattest, expiresBefore } = filter;
  return (
    (attestationType === undefined || agent.attestationType === attestationType) &&
    (selectors === undefined || matchSelectors(agent.selectors, selectors.selectors, selectors.match)) &&
    (banned === undefined || isBanned(agent) === banned) &&
    (canReattest === undefined || agent.canReattest === canReattest) &&
    (expiresBefore === undefined || agent.expiresAt < expiresBefore)
  );
}
