const SIMPLE = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const HEX4 = /^[0-9a-fA-F]{4}$/;

/** The value of what stands between the quotes of a JSON string (RFC 8259 section 7), or `undefined` for a bad escape. */
export function unescapeJsonString(raw: string): string | undefined {
  let value = '';
  let copied = 0;
  for (;;) {
    const backslash = raw.indexOf('\\', copied);
    if (backslash === -1) return value + raw.slice(copied);
    value += raw.slice(copied, backslash);
    const kind = raw.charAt(backslash + 1);
    if (kind === 'u') {
      const digits = raw.slice(backslash + 2, backslash + 6);
      if (!HEX4.test(digits)) return undefined;
      value += String.fromCharCode(Number.parseInt(digits, 16));
      copied = backslash + 6;
      continue;
    }
    const character = SIMPLE.get(kind);
    if (character === undefined) return undefined;
    value += character;
    copied = backslash + 2;
  }
}
