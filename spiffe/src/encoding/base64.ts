/**
 * Base64 in its two alphabets, strict both ways: one text per byte string. A decoder that forgives padding, blanks or the
 * other alphabet lets anyone make a second token with the same signature.
 */

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const FOREIGN = 0xff;
/** Far faster than `String.fromCharCode`. The codes are ASCII, where this decoder and every other agree. */
const ASCII = new TextDecoder('latin1');

const codesOf = (alphabet: string): Uint8Array => Uint8Array.from(alphabet, (character) => character.charCodeAt(0));

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(FOREIGN);
  for (let value = 0; value < 64; value++) values[alphabet.charCodeAt(value)] = value;
  return values;
}

const STANDARD_CODES = codesOf(STANDARD);
const STANDARD_VALUES = valuesOf(STANDARD);
const URL_SAFE_CODES = codesOf(URL_SAFE);
const URL_SAFE_VALUES = valuesOf(URL_SAFE);

/** RFC 4648 section 5 without padding, the form JOSE uses. */
export function encodeBase64url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE_CODES);
}

/** Bytes of an unpadded base64url text, or `undefined` unless it is the one canonical spelling of them. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  return decode(text, text.length, URL_SAFE_VALUES);
}

/** RFC 4648 section 4 with padding, the form of `x5c`. */
export function encodeBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD_CODES) + '='.repeat((3 - (bytes.length % 3)) % 3);
}

/** Bytes of a padded base64 text without line breaks, or `undefined` unless it is the one canonical spelling of them. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  let end = text.length;
  if (text.endsWith('==')) end -= 2;
  else if (text.endsWith('=')) end -= 1;
  return decode(text, end, STANDARD_VALUES);
}

function encode(bytes: Uint8Array, codes: Uint8Array): string {
  const { length } = bytes;
  const whole = length - (length % 3);
  const output = new Uint8Array(Math.ceil((length * 4) / 3));
  let written = 0;
  // Never beyond the end inside the loop: one such read makes every later one slow.
  for (let index = 0; index < whole; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    output[written++] = codes[group >> 18] ?? 0;
    output[written++] = codes[(group >> 12) & 63] ?? 0;
    output[written++] = codes[(group >> 6) & 63] ?? 0;
    output[written++] = codes[group & 63] ?? 0;
  }
  if (whole < length) {
    const isPair = length - whole === 2;
    const rest = ((bytes[whole] ?? 0) << 8) | (isPair ? (bytes[whole + 1] ?? 0) : 0);
    output[written++] = codes[rest >> 10] ?? 0;
    output[written++] = codes[(rest >> 4) & 63] ?? 0;
    if (isPair) output[written++] = codes[(rest << 2) & 63] ?? 0;
  }
  return ASCII.decode(output);
}

function decode(text: string, end: number, values: Uint8Array): Uint8Array | undefined {
  if (end % 4 === 1) return undefined;
  const output = new Uint8Array((end * 3) >> 2);
  let pending = 0;
  let bits = 0;
  let written = 0;
  for (let index = 0; index < end; index++) {
    const value = values[text.charCodeAt(index)] ?? FOREIGN;
    if (value === FOREIGN) return undefined;
    pending = ((pending << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    output[written++] = pending >> bits;
  }
  // The bits left over carry nothing; a second spelling would set them.
  return (pending & ((1 << bits) - 1)) === 0 ? output : undefined;
}
