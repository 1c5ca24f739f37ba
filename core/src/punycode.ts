const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const FIRST_NON_ASCII = 0x80;
const LAST_CONTROL = 0x9f;
const LAST_CODE_POINT = 0x10ffff;

/** Whether the part of a DNS label after `xn--` decodes to text with at least one non-ASCII character (RFC 3492 6.2). */
export function isPunycode(encoded: string): boolean {
  const dash = encoded.lastIndexOf('-');
  // A separator needs text before it, and extended characters after it.
  if (dash === 0 || dash === encoded.length - 1) return false;
  const digits = encoded.slice(dash + 1);
  let length = Math.max(dash, 0);
  let point = FIRST_NON_ASCII;
  let bias = 72;
  let insertAt = 0;
  let next = 0;
  while (next < digits.length) {
    const before = insertAt;
    let weight = 1;
    for (let k = BASE; ; k += BASE) {
      const digit = digitOf(digits.charCodeAt(next++));
      if (digit === undefined) return false;
      insertAt += digit * weight;
      if (insertAt > Number.MAX_SAFE_INTEGER / BASE) return false;
      const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX);
      if (digit < threshold) break;
      weight *= BASE - threshold;
    }
    length += 1;
    bias = adapt(insertAt - before, length, before === 0);
    point += Math.floor(insertAt / length);
    insertAt = (insertAt % length) + 1;
    if (point <= LAST_CONTROL || point > LAST_CODE_POINT || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

function digitOf(unit: number): number | undefined {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30 + 26;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? lower - 0x61 : undefined; // NaN past the end becomes 0x20, no letter
}

function adapt(delta: number, length: number, first: boolean): number {
  let scaled = Math.floor(delta / (first ? 700 : 2));
  scaled += Math.floor(scaled / length);
  let k = 0;
  for (; scaled > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) scaled = Math.floor(scaled / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * scaled) / (scaled + 38));
}
