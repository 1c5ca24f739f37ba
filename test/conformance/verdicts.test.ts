import { describe, expect, it } from 'vitest';
import { asMarkdown, asText } from './report.ts';
import { citedRows, type Row, readStandards } from './rows.ts';
import { judge, type TestOutcome, unknownIds } from './verdicts.ts';

const row = (id: string, more: Partial<Row> = {}): Row => ({
  id,
  side: ['VAL'],
  level: 'MUST',
  title: 'a | b',
  ...more,
});
const verdictOf = (one: Row, ...outcomes: TestOutcome[]) =>
  judge([{ section: '1', standard: 'S', rows: [one] }], new Map([[one.id, outcomes]]))[0]?.rows[0]?.verdict;

describe('the verdict on a row', () => {
  it('is passed only if tests cite it and all of them pass', () => {
    expect(verdictOf(row('A-01'), 'passed', 'passed')).toEqual({ state: 'passed' });
    expect(verdictOf(row('A-01'), 'passed', 'failed')).toMatchObject({ state: 'failed' });
    expect(verdictOf(row('A-01'), 'passed', 'skipped')).toMatchObject({ state: 'not yet' });
    expect(verdictOf(row('A-01'))).toEqual({ state: 'not yet', reason: 'no test' });
  });

  it('is failed where table and tests contradict each other', () => {
    expect(verdictOf(row('A-01', { notYet: 'later' }), 'passed')).toMatchObject({ state: 'failed' });
    expect(verdictOf(row('A-01', { notYet: 'later' }))).toEqual({ state: 'not yet', reason: 'later' });
    expect(verdictOf(row('A-01', { notTestable: 'binds specs' }))).toMatchObject({ state: 'not testable' });
  });
});

describe('the tables', () => {
  const standards = readStandards();
  it('have every id once and never two excuses', () => {
    const rows = standards.flatMap((standard) => standard.rows);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.filter(({ notYet, notTestable }) => notYet !== undefined && notTestable !== undefined)).toEqual([]);
  });
  it('notice a citation of a row that they do not have', () => {
    expect(
      unknownIds(
        standards,
        new Map([
          ['ID-01', ['passed']],
          ['ID-99', ['passed']],
        ]),
      ),
    ).toEqual(['ID-99']);
  });
});

it('reads citations only from the beginning of a name', () => {
  expect(citedRows('[X509-29] [X509-H1] refuses [JWT-01]')).toEqual(['X509-29', 'X509-H1']);
  expect(citedRows('refuses [JWT-01]')).toEqual([]);
});

it('reports the reason of every row that is not passed', () => {
  const judged = judge(
    [{ section: '1', standard: 'S', rows: [row('A-01'), row('A-02')] }],
    new Map([['A-01', ['passed']]]),
  );
  expect(asText(judged)).toContain('2 rows: 1 passed, 0 failed, 1 not yet');
  expect(asMarkdown(judged)).toContain('| A-02 | MUST | a \\| b | not yet: no test |');
  expect(asMarkdown(judged)).not.toContain('| A-01 |');
});
