// Aligned columns for people. Cells are plain text; control characters are made visible so that a stored value cannot
// move the cursor of the one who reads it.
import { stripVTControlCharacters, styleText } from 'node:util';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Only in the wide format. */
  readonly wide?: boolean;
}

export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: { readonly wide?: boolean; readonly colour?: boolean } = {},
): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const cells = [shown.map(({ title }) => title), ...rows.map((row) => shown.map(({ cell }) => visible(cell(row))))];
  const widths = shown.map((_, index) => Math.max(...cells.map((line) => (line[index] ?? '').length)));
  const lines = cells.map((line) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  return [options.colour === true ? styleText('bold', head) : head, ...body].join('\n');
}

/** `name: value` lines, aligned, for a single thing. */
export function details(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${visible(value)}`).join('\n');
}

/** Text without terminal commands; other control characters as escapes. */
function visible(text: string): string {
  return stripVTControlCharacters(text).replace(
    /\p{Cc}/gu,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
