/**
 * ECDSA signatures in their two spellings: DER, which OpenSSL and key services speak, and the two fixed-length numbers of
 * JOSE (RFC 7518 section 3.4). Converting here is faster than asking OpenSSL for the raw form.
 */

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * `r` and `s`, each padded to the length of a coordinate.
 *
 * @throws TypeError if the bytes are no DER signature of that size; the signer is broken then
 */
export function rawFromDer(der: Uint8Array, coordinateBytes: number): Uint8Array {
  const raw = new Uint8Array(2 * coordinateBytes);
  // Only a P-521 signature is long enough for a length in two bytes.
  const start = der[1] === 0x81 ? 3 : 2;
  if (der[0] !== SEQUENCE || der[start - 1] !== der.length - start) throw notDer();
  const middle = copyInteger(der, start, raw, coordinateBytes);
  if (copyInteger(der, middle, raw, raw.length) !== der.length) throw notDer();
  return raw;
}

/** DER of a raw signature; its length has been checked by the caller. */
export function derFromRaw(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const r = significant(raw, 0, half);
  const s = significant(raw, half, raw.length);
  const bodyLength = integerLength(r) + integerLength(s);
  const start = bodyLength < 0x80 ? 2 : 3;
  const der = new Uint8Array(start + bodyLength);
  der[0] = SEQUENCE;
  der[1] = 0x81;
  der[start - 1] = bodyLength;
  writeInteger(der, der.length - integerLength(s), s);
  writeInteger(der, start, r);
  return der;
}

/** Copies the INTEGER at `at` so that it ends at `end`; returns where the next one starts. */
function copyInteger(der: Uint8Array, at: number, raw: Uint8Array, end: number): number {
  const length = der[at + 1] ?? 0;
  let from = at + 2;
  const next = from + length;
  if (der[at] !== INTEGER || length === 0 || next > der.length) throw notDer();
  while (der[from] === 0 && from < next - 1) from++;
  const size = next - from;
  if (size > raw.length / 2) throw notDer();
  raw.set(der.subarray(from, next), end - size);
  return next;
}

/** The number from `from` to `end` without its leading zeros, but with at least one byte. */
function significant(raw: Uint8Array, from: number, end: number): Uint8Array {
  let first = from;
  while (raw[first] === 0 && first < end - 1) first++;
  return raw.subarray(first, end);
}

/** A zero goes before a leading one bit, which would make the number negative. */
function integerLength(digits: Uint8Array): number {
  return 2 + digits.length + ((digits[0] ?? 0) >> 7);
}

function writeInteger(der: Uint8Array, at: number, digits: Uint8Array): void {
  const length = integerLength(digits);
  der[at] = INTEGER;
  der[at + 1] = length - 2;
  der.set(digits, at + length - digits.length);
}

function notDer(): TypeError {
  return new TypeError('the signer returned no DER signature of its curve');
}
