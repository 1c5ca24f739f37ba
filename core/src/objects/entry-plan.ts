import { type EntryDraft, type RegistrationEntry, similarityKey } from '../entry.ts';

/** An entry that an object asks for. */
export interface DeclaredEntry<T> {
  readonly draft: EntryDraft;
  readonly by: T;
  /** `similarityKey` of the draft, if it is known already. */
  readonly key?: string;
}

/** What must happen so that the entries are those that are declared. */
export interface EntryPlan<T> {
  readonly create: readonly DeclaredEntry<T>[];
  readonly update: readonly { readonly old: RegistrationEntry; readonly declared: DeclaredEntry<T> }[];
  readonly keep: readonly { readonly entry: RegistrationEntry; readonly declared: DeclaredEntry<T> }[];
  readonly remove: readonly RegistrationEntry[];
  /** Declared by several: these are not the ones that count. */
  readonly masked: readonly DeclaredEntry<T>[];
}

/**
 * Compares what is with what should be. Of several that ask for the same entry (SPIFFE ID, parent, selectors) the first
 * by `compare` counts; an entry that only changes its attributes keeps its ID.
 */
export function planEntries<T>(
  current: Iterable<readonly [key: string, entry: RegistrationEntry]>,
  declared: readonly DeclaredEntry<T>[],
  compare: (a: T, b: T) => number,
): EntryPlan<T> {
  const wanted = Map.groupBy(declared, (one) => one.key ?? similarityKey(one.draft));
  const plan = { create: [] as DeclaredEntry<T>[], update: [], keep: [], remove: [], masked: [] } as Mutable<T>;
  const standing = new Map<string, RegistrationEntry>();
  for (const [key, entry] of current) {
    if (wanted.has(key) && !standing.has(key)) standing.set(key, entry);
    else plan.remove.push(entry);
  }
  for (const [key, rivals] of wanted) {
    const [first, ...others] = rivals.length > 1 ? rivals.toSorted((a, b) => compare(a.by, b.by)) : rivals;
    plan.masked.push(...others);
    const old = standing.get(key);
    if (first === undefined) continue;
    if (old === undefined) plan.create.push(first);
    else if (isAsDeclared(old, first.draft)) plan.keep.push({ entry: old, declared: first });
    else plan.update.push({ old, declared: first });
  }
  return plan;
}

type Mutable<T> = { -readonly [K in keyof EntryPlan<T>]: EntryPlan<T>[K][number][] };

const ATTRIBUTES = [
  'x509SvidTtl',
  'jwtSvidTtl',
  'admin',
  'downstream',
  'storeSvid',
  'hint',
  'expiresAt',
  'disableX509SvidPrefetch',
  'jwtSvidIncludeJti',
] as const satisfies readonly (keyof EntryDraft)[];

/** The order of trust domains is none; that of DNS names is, because the first becomes the common name. */
const isAsDeclared = (entry: RegistrationEntry, draft: EntryDraft): boolean =>
  ATTRIBUTES.every((name) => entry[name] === draft[name]) &&
  entry.dnsNames.length === draft.dnsNames.length &&
  entry.dnsNames.every((name, at) => name === draft.dnsNames[at]) &&
  isSameSet(entry.federatesWith, draft.federatesWith);

const isSameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((one) => right.has(one));
};
