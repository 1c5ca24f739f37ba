const SHORT: ReadonlyMap<number, string> = new Map([
  [7, '\\a'],
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [34, '\\"'],
  [92, '\\\\'],
]);

/** A text in double quotes with Go's escapes, as its `%q` writes it. */
export function quote(text: string): string {
  return `"${Array.from(text, escaped).join('')}"`;
}

const escaped = (character: string): string => {
  const point = character.codePointAt(0) ?? 0;
  const short = SHORT.get(point);
  if (short !== undefined) return short;
  // A lone surrogate stands for bytes that are no text.
  if (point >= 0xd800 && point <= 0xdfff) return '\\ufffd';
  if (point < 0x20 || point === 0x7f) return `\\x${point.toString(16).padStart(2, '0')}`;
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) return character;
  return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
};
