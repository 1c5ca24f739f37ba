// A DER writer of the kit's own, so that what it forges does not come from the code under test.

/** One element: tag byte and content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

export function sequence(...contents: readonly Uint8Array[]): Buffer {
  return der(0x30, ...contents);
}

/** A non-negative integer from big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const trimmed = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  const isHigh = (trimmed[0] ?? 0) >= 0x80;
  return der(0x02, isHigh ? Buffer.concat([Uint8Array.of(0), trimmed]) : trimmed);
}

export function boolean(value: boolean): Buffer {
  return der(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function octets(content: Uint8Array): Buffer {
  return der(0x04, content);
}

/** Whole bytes, or with `unused` bits at the end. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return der(0x03, Uint8Array.of(unused), content);
}

export function utf8(text: string): Buffer {
  return der(0x0c, Buffer.from(text));
}

/** From dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Unix seconds; UTCTime until 2049, as RFC 5280 asks. */
export function time(seconds: number): Buffer {
  const digits = `${new Date(Math.floor(seconds) * 1000).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  const isNear = Number(digits.slice(0, 4)) < 2050;
  return isNear ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 + bytes.length]), bytes]);
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 + (rest % 128));
  return digits;
}
