import { IssuerError } from './errors.ts';

/** One attested fact about a node or a workload, such as type `unix`, value `uid:1000`. */
export interface Selector {
  readonly type: string;
  readonly value: string;
}

/** How the selectors of a stored thing relate to the wanted ones: equal, within, around, or overlapping. */
export type SelectorMatch = 'exact' | 'subset' | 'superset' | 'any';

/** Reads `type:value`; only the first colon separates. Throws `invalid-argument`. */
export function parseSelector(text: string): Selector {
  const colon = text.indexOf(':');
  if (colon < 0) throw new IssuerError('invalid-argument', 'selector must have the form type:value');
  if (colon === 0) throw new IssuerError('invalid-argument', 'missing selector type');
  if (colon === text.length - 1) throw new IssuerError('invalid-argument', 'missing selector value');
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

/** `type:value`. Distinct selectors have distinct texts, because a type holds no colon. */
export function formatSelector(selector: Selector): string {
  return `${selector.type}:${selector.value}`;
}

/** Orders by type, then value, by code unit. */
export function compareSelectors(a: Selector, b: Selector): number {
  return compareText(a.type, b.type) || compareText(a.value, b.value);
}

/** A sorted copy. */
export function sortSelectors(selectors: readonly Selector[]): Selector[] {
  return selectors.toSorted(compareSelectors);
}

/** A copy without repetitions, in the order of first appearance. */
export function dedupeSelectors(selectors: readonly Selector[]): Selector[] {
  return [...new Map(selectors.map((s) => [formatSelector(s), s])).values()];
}

/** The texts of the selectors, for membership tests. */
export function selectorSet(selectors: readonly Selector[]): ReadonlySet<string> {
  return new Set(selectors.map(formatSelector));
}

/** Whether every selector of `a` is among those of `b`. The empty set is a subset of all. */
export function isSubset(a: readonly Selector[], b: readonly Selector[] | ReadonlySet<string>): boolean {
  const set = b instanceof Set ? (b as ReadonlySet<string>) : selectorSet(b as readonly Selector[]);
  return a.every((s) => set.has(formatSelector(s)));
}

/** Whether `selectors` relate to `wanted` as `match` says; two empty sets overlap in nothing. */
export function matchSelectors(
  selectors: readonly Selector[],
  wanted: readonly Selector[],
  match: SelectorMatch,
): boolean {
  return matchSets(selectorSet(selectors), selectorSet(wanted), match);
}

/** As {@link matchSelectors}, for any set of texts. A subset must not be empty: nothing in common is no match. */
export function matchSets(have: ReadonlySet<string>, wanted: ReadonlySet<string>, match: SelectorMatch): boolean {
  return SET_RULES[match](have, wanted);
}

type Texts = ReadonlySet<string>;

const SET_RULES: Readonly<Record<SelectorMatch, (have: Texts, wanted: Texts) => boolean>> = {
  exact: (have, wanted) => have.size === wanted.size && isWithin(have, wanted),
  subset: (have, wanted) => have.size > 0 && isWithin(have, wanted),
  superset: (have, wanted) => isWithin(wanted, have),
  any: (have, wanted) => [...have].some((text) => wanted.has(text)),
};

function isWithin(inner: Texts, outer: Texts): boolean {
  return inner.size <= outer.size && [...inner].every((text) => outer.has(text));
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
