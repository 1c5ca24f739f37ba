import type { SpiffeId } from '@steeple/spiffe';
import type { AgentRecord } from './agent-record.ts';
import { isBanned } from './agent-record.ts';
import type { RegistrationEntry } from './entry.ts';
import { IssuerError } from './errors.ts';
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
  /** SPIRE's clients always send false and mean "no condition". */
  readonly downstream?: boolean | undefined;
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

/** Refuses a filter that names an empty set. @throws {IssuerError} `invalid-argument` */
export function checkFilter(filter: EntryFilter | AgentFilter): void {
  if (filter.selectors?.selectors.length === 0) {
    throw new IssuerError('invalid-argument', 'malformed selectors filter: empty selector set');
  }
  if ('federatesWith' in filter && filter.federatesWith?.trustDomains.length === 0) {
    throw new IssuerError('invalid-argument', 'malformed federates with filter: empty trust domain set');
  }
}

/** Whether an entry is wanted. */
export function matchesEntry(entry: RegistrationEntry, filter: EntryFilter): boolean {
  const { spiffeId, parentId, selectors, federatesWith, hint, downstream } = filter;
  return (
    (spiffeId === undefined || entry.spiffeId.equals(spiffeId)) &&
    (parentId === undefined || entry.parentId.equals(parentId)) &&
    (selectors === undefined || matchSelectors(entry.selectors, selectors.selectors, selectors.match)) &&
    (federatesWith === undefined ||
      matchSets(new Set(entry.federatesWith), new Set(federatesWith.trustDomains), federatesWith.match)) &&
    (hint === undefined || entry.hint === hint) &&
    (downstream !== true || entry.downstream)
  );
}

/** Whether an agent is wanted. */
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
