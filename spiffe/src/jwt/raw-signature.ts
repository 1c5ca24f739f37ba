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
  const body = [...derInteger(raw.subarray(0, half)), ...derInteger(raw.subarray(half))];
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Uint8Array.from([SEQUENCE, ...length, ...body]);
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

function derInteger(bytes: Uint8Array): number[] {
  let from = 0;
  while (bytes[from] === 0 && from < bytes.length - 1) from++;
  const digits = [...bytes.subarray(from)];
  // A leading one bit would make the number negative.
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
  return [INTEGER, digits.length, ...digits];
}

function notDer(): TypeError {
  return new TypeError('the signer returned no DER signature of its curve');
}
