import type { Random } from './random.ts';

const EDGES = [
  0, 1, 0x20, 0x22, 0x2e, 0x2f, 0x5c, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xc0, 0xed, 0xef, 0xf0, 0xfe, 0xff,
];
/** Longest input made by repeating and splicing; the readers' own limits are tried on purpose, once in a while. */
const LONGEST = 8192;
const HUGE = 300_000;

/** A sample with a few things done to it, none of which knows what the bytes mean. */
export function mutateBytes(
  samples: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  // A copy: `slice` of a Buffer would share the sample's memory.
  let bytes = Uint8Array.from(random.pick(samples));
  for (let rounds = 1 + random.below(2) * random.below(4); rounds > 0; rounds--)
    bytes = mutateOnce(bytes, samples, words, random);
  return bytes;
}

function mutateOnce(
  bytes: Uint8Array<ArrayBuffer>,
  samples: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const end = at + random.below(Math.min(64, bytes.length - at) + 1);
  switch (random.below(9)) {
    case 0:
      return replaced(bytes, at, (octet) => octet ^ (1 << random.below(8)));
    case 1:
      return replaced(bytes, at, () => random.pick(EDGES));
    case 2:
      return replaced(bytes, at, (octet) => octet + 1);
    case 3:
      return splice(bytes, at, end, new Uint8Array());
    case 4:
      return splice(bytes, at, at, bytes.subarray(at, end));
    case 5:
      return splice(bytes, at, random.once(2) ? at : end, Buffer.from(random.pick(words)));
    case 6: {
      const other = random.pick(samples);
      const from = random.below(other.length);
      return splice(bytes, at, end, other.subarray(from, from + random.below(64)));
    }
    case 7:
      return bytes.slice(0, at);
    default:
      return repeated(bytes, at, end, random);
  }
}

function repeated(bytes: Uint8Array<ArrayBuffer>, at: number, end: number, random: Random): Uint8Array<ArrayBuffer> {
  const limit = random.once(2000) ? HUGE : LONGEST;
  const piece = bytes.subarray(at, end);
  if (piece.length === 0 || bytes.length >= limit) return bytes;
  const times = Math.min(1 << random.below(limit === HUGE ? 20 : 9), Math.floor((limit - bytes.length) / piece.length));
  const run = new Uint8Array(piece.length * Math.max(times, 0));
  for (let index = 0; index < times; index++) run.set(piece, index * piece.length);
  return splice(bytes, at, at, run);
}

function replaced(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  change: (octet: number) => number,
): Uint8Array<ArrayBuffer> {
  if (at < bytes.length) bytes[at] = change(bytes[at] ?? 0);
  return bytes;
}

function splice(bytes: Uint8Array, start: number, end: number, insert: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length - (end - start) + insert.length);
  result.set(bytes.subarray(0, start));
  result.set(insert, start);
  result.set(bytes.subarray(end), start + insert.length);
  return result;
}
