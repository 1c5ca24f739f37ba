import type { HclCursor } from './hcl-cursor.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};
const NUMERIC = /x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3}/y;
const PLAIN = /[^"\\\n$]+/y;
const HEREDOC_START = /<<(-?)([^\s<]+)[ \t]*\n/y;

/** A quoted string. `${…}` stays as written, and may hold quotes, as in HCL 1. */
export function readString(cursor: HclCursor): string {
  const start = cursor.at;
  cursor.at += 1;
  let text = '';
  for (;;) {
    text += cursor.match(PLAIN) ?? '';
    if (cursor.take('"')) return text;
    if (cursor.sees('${')) text += readInterpolation(cursor, start);
    else if (cursor.take('$')) text += '$';
    else if (cursor.sees('\\')) text += readEscape(cursor);
    else cursor.source.fail('string is not closed', start);
  }
}

/** A heredoc: the lines up to one that holds only the marker; `<<-` takes off the indentation of that line. */
export function readHeredoc(cursor: HclCursor): string {
  const start = cursor.at;
  HEREDOC_START.lastIndex = start;
  const [head, dash, marker = ''] = HEREDOC_START.exec(cursor.source.text) ?? [];
  if (head === undefined) return cursor.source.fail('expected a heredoc: <<MARKER at the end of a line', start);
  const lines: string[] = [];
  for (let at = start + head.length; at < cursor.source.text.length; ) {
    const lineEnd = cursor.source.text.indexOf('\n', at);
    const end = lineEnd < 0 ? cursor.source.text.length : lineEnd;
    const line = cursor.source.text.slice(at, end);
    if (line.trim() === marker) {
      cursor.at = end;
      const indentation = dash === '-' ? line.slice(0, line.indexOf(marker)) : '';
      return unindent(lines, indentation)
        .map((each) => `${each}\n`)
        .join('');
    }
    lines.push(line);
    at = end + 1;
  }
  return cursor.source.fail(`heredoc is not closed by a line ${JSON.stringify(marker)}`, start);
}

function unindent(lines: readonly string[], indentation: string): readonly string[] {
  const all = lines.every((line) => line === '' || line.startsWith(indentation));
  return all ? lines.map((line) => line.slice(indentation.length)) : lines;
}

function readInterpolation(cursor: HclCursor, start: number): string {
  const from = cursor.at;
  let depth = 0;
  do {
    if (cursor.atEnd) cursor.source.fail('string is not closed', start);
    if (cursor.sees('{')) depth += 1;
    if (cursor.sees('}')) depth -= 1;
    cursor.at += 1;
  } while (depth > 0 || cursor.at === from + 1);
  return cursor.source.text.slice(from, cursor.at);
}

function readEscape(cursor: HclCursor): string {
  const start = cursor.at;
  cursor.at += 1;
  const simple = SIMPLE[cursor.source.text[cursor.at] ?? ''];
  if (simple !== undefined) {
    cursor.at += 1;
    return simple;
  }
  const code = cursor.match(NUMERIC);
  if (code === undefined) return cursor.source.fail('unknown escape in string', start);
  const point = /^[0-7]/.test(code) ? Number.parseInt(code, 8) : Number.parseInt(code.slice(1), 16);
  const isCharacter = point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  return isCharacter ? String.fromCodePoint(point) : cursor.source.fail('escape is no character', start);
}
