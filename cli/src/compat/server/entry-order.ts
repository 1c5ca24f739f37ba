import type { types } from '@steeple/proto/server-api';

/** Entries in the order in which they are shown, each with its selectors in order. */
export function ordered(entries: readonly types.Entry[]): types.Entry[] {
  for (const entry of entries) entry.selectors.sort(bySelector);
  return entries.toSorted(byEntry);
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const bySelector = (a: types.Selector, b: types.Selector): number => byText(a.type, b.type) || byText(a.value, b.value);

const byEntry = (a: types.Entry, b: types.Entry): number =>
  byText(a.spiffeId?.trustDomain ?? '', b.spiffeId?.trustDomain ?? '') ||
  byText(a.spiffeId?.path ?? '', b.spiffeId?.path ?? '') ||
  byText(a.parentId?.trustDomain ?? '', b.parentId?.trustDomain ?? '') ||
  byText(a.parentId?.path ?? '', b.parentId?.path ?? '') ||
  a.x509SvidTtl - b.x509SvidTtl ||
  a.jwtSvidTtl - b.jwtSvidTtl ||
  bySelectors(a.selectors, b.selectors);

const bySelectors = (a: readonly types.Selector[], b: readonly types.Selector[]): number => {
  if (a.length !== b.length) return a.length - b.length;
  for (const [index, selector] of a.entries()) {
    const other = b[index];
    const order = other === undefined ? 0 : bySelector(selector, other);
    if (order !== 0) return order;
  }
  return 0;
};
