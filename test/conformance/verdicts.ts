import type { Row, Standard } from './rows.ts';

export type TestOutcome = 'passed' | 'failed' | 'skipped';
/** What the tests that cite a row came to, by the row's id. */
export type Outcomes = ReadonlyMap<string, readonly TestOutcome[]>;

export type Verdict =
  | { readonly state: 'passed' }
  | { readonly state: 'failed' | 'not yet' | 'not testable'; readonly reason: string };

export interface JudgedRow {
  readonly row: Row;
  readonly verdict: Verdict;
}

export interface JudgedStandard {
  readonly section: string;
  readonly standard: string;
  readonly rows: readonly JudgedRow[];
}

export function judge(standards: readonly Standard[], outcomes: Outcomes): JudgedStandard[] {
  return standards.map(({ section, standard, rows }) => ({
    section,
    standard,
    rows: rows.map((row) => ({ row, verdict: verdictOf(row, outcomes.get(row.id) ?? []) })),
  }));
}

/** Ids that tests cite and no table has: a typing error would otherwise be silence. */
export function unknownIds(standards: readonly Standard[], outcomes: Outcomes): string[] {
  const known = new Set(standards.flatMap(({ rows }) => rows.map(({ id }) => id)));
  return [...outcomes.keys()].filter((id) => !known.has(id));
}

function verdictOf({ notYet, notTestable }: Row, outcomes: readonly TestOutcome[]): Verdict {
  if (outcomes.includes('failed')) return { state: 'failed', reason: notYet ?? 'a test of it fails' };
  const excuse = notYet ?? notTestable;
  if (excuse !== undefined && outcomes.includes('passed'))
    return { state: 'failed', reason: `a test passes, yet the table says: ${excuse}` };
  if (notTestable !== undefined) return { state: 'not testable', reason: notTestable };
  if (notYet !== undefined) return { state: 'not yet', reason: notYet };
  if (outcomes.includes('skipped')) return { state: 'not yet', reason: 'its test was skipped on this machine' };
  return outcomes.length > 0 ? { state: 'passed' } : { state: 'not yet', reason: 'no test' };
}
