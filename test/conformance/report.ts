import type { JudgedRow, JudgedStandard, Verdict } from './verdicts.ts';

type State = Verdict['state'];
const STATES: readonly State[] = ['passed', 'failed', 'not yet', 'not testable'];

/** One line per standard, then every row that is not passed. */
export function asText(standards: readonly JudgedStandard[]): string {
  const lines = standards.map(({ section, standard, rows }) => {
    const counts = STATES.map((state) => `${String(countOf(rows, state)).padStart(3)} ${state}`);
    return `${section} ${standard.padEnd(24)} ${String(rows.length).padStart(3)} rows: ${counts.join(', ')}`;
  });
  const all = standards.flatMap(({ rows }) => rows);
  const open = openRows(all).map(({ row, reason, state }) => `${state}: ${row.id} ${row.title}: ${reason}`);
  const total = STATES.map((state) => `${countOf(all, state)} ${state}`).join(', ');
  return [...lines, '', ...open, '', `${all.length} rows: ${total}`].join('\n');
}

/** The content of docs/conformance.md. */
export function asMarkdown(standards: readonly JudgedStandard[]): string {
  const counts = standards.map(({ section, standard, rows }) => {
    const cells = [section, standard, rows.length, ...STATES.map((state) => countOf(rows, state))];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '# Conformance to the SPIFFE standards',
    '',
    'Written by `npm run conformance -- --write`. Each row is one requirement of a standard; it is passed when a black-box',
    'test under `test/conformance` that cites it passes, and no test that cites it fails. Rows whose number begins with H are',
    'stricter than the standard: our own hardening.',
    '',
    `| | Standard | Rows | ${STATES.map(capital).join(' | ')} |`,
    `|---|---|${'--:|'.repeat(STATES.length + 1)}`,
    ...counts,
    '',
    '## Rows that are not passed',
    '',
    ...standards.flatMap(openTable),
  ].join('\n');
}

function openTable({ section, standard, rows }: JudgedStandard): string[] {
  const open = openRows(rows);
  if (open.length === 0) return [];
  const lines = open.map(
    ({ row, state, reason }) => `| ${row.id} | ${row.level} | ${cell(row.title)} | ${state}: ${cell(reason)} |`,
  );
  return [`### ${section} ${standard}`, '', '| Row | Level | Requirement | Why |', '|---|---|---|---|', ...lines, ''];
}

function openRows(rows: readonly JudgedRow[]) {
  return rows.flatMap(({ row, verdict }) =>
    verdict.state === 'passed' ? [] : [{ row, state: verdict.state, reason: verdict.reason }],
  );
}

function countOf(rows: readonly JudgedRow[], state: State): number {
  return rows.filter(({ verdict }) => verdict.state === state).length;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
