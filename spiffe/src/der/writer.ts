import { room } from './room.ts';
import { TAG } from './tags.ts';

/** One element: identifier, shortest length, and the parts behind one another as its contents. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthOctets = countLengthOctets(length);
  const element = room(2 + lengthOctets + length);
  element[0] = tag;
  if (lengthOctets === 0) {
    element[1] = length;
  } else {
    element[1] = 0x80 | lengthOctets;
    for (let index = 0; index < lengthOctets; index++) {
      element[2 + index] = (length >>> (8 * (lengthOctets - 1 - index))) & 0xff;
    }
  }
  let offset = 2 + lengthOctets;
  for (const part of parts) {
    element.set(part, offset);
    offset += part.length;
  }
  return element;
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.sequence, ...parts);
}

/** A SET OF one element, the only kind written here: DER would want several sorted. */
export function setOfOne(part: Uint8Array): Uint8Array {
  return tlv(TAG.set, part);
}

export function octetString(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.octetString, ...parts);
}

/** A BIT STRING of whole octets. */
export function bitString(bits: Uint8Array): Uint8Array {
  return tlv(TAG.bitString, Uint8Array.of(0), bits);
}

/** An INTEGER from a magnitude: leading zeros are dropped and a sign octet is added where one is needed. */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.subarray(start);
  if (trimmed.length === 0) return tlv(TAG.integer, Uint8Array.of(0));
  return (trimmed[0] ?? 0) >= 0x80 ? tlv(TAG.integer, Uint8Array.of(0), trimmed) : tlv(TAG.integer, trimmed);
}

/** An INTEGER from 0 to 2^31-1. */
export function smallInteger(value: number): Uint8Array {
  return unsignedInteger(Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff));
}

export function encodeOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(TAG.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** DER leaves FALSE out where it is the default, so only TRUE is ever written. */
export const TRUE = Uint8Array.of(TAG.boolean, 1, 0xff);
export const NULL = Uint8Array.of(TAG.null, 0);

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
  return digits;
}

function countLengthOctets(length: number): number {
  if (length < 0x80) return 0;
  if (length < 0x100) return 1;
  if (length < 0x10000) return 2;
  if (length < 0x1000000) return 3;
  throw new RangeError('element of 16 MiB or more');
}
