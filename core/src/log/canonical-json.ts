/** Deeper than anything that is meant; a recursion without end is a crash. */
const DEEPEST = 64;

/**
 * The one text of a JSON value (RFC 8785), so that equal values have equal hashes.
 *
 * @throws {TypeError} for what JSON does not have: undefined, functions, infinite numbers, lone surrogates; and for values
 *   nested more than 64 deep
 */
export function canonicalJson(value: unknown): string {
  return textOf(value, 0);
}

function textOf(value: unknown, depth: number): string {
  if (depth > DEEPEST) throw new TypeError(`JSON nested more than ${DEEPEST} deep`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => textOf(each, depth + 1)).join(',')}]`;
  if (typeof value !== 'object')
    throw new TypeError(`JSON has no ${typeof value === 'number' ? 'such number' : typeof value}`);
  const members = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    // By UTF-16 code units, which is how JavaScript compares texts.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${quoted(name)}:${textOf(each, depth + 1)}`);
  return `{${members.join(',')}}`;
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('JSON has no half of a character');
  return JSON.stringify(text);
}
