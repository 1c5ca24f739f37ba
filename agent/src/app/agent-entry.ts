import { formatSelector, type RegistrationEntry, type Selector } from '@steeple/core';

/** What an agent knows of a registration entry: everything but lifetimes and DNS names, which the server alone applies. */
export type AgentEntry = Pick<
  RegistrationEntry,
  | 'id'
  | 'spiffeId'
  | 'selectors'
  | 'federatesWith'
  | 'admin'
  | 'downstream'
  | 'storeSvid'
  | 'hint'
  | 'disableX509SvidPrefetch'
  | 'jwtSvidIncludeJti'
  | 'revision'
  | 'createdAt'
>;

/** Whether an SVID issued for `a` is still the right one for `b`. */
export function sameVersion(
  a: Pick<AgentEntry, 'revision' | 'createdAt'>,
  b: Pick<AgentEntry, 'revision' | 'createdAt'>,
): boolean {
  return a.revision === b.revision && a.createdAt === b.createdAt;
}

/** The selectors as comparable texts, sorted, without duplicates. */
export function selectorKeys(selectors: readonly Selector[]): readonly string[] {
  return [...new Set(selectors.map(formatSelector))].sort();
}
