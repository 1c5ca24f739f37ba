import { randomBytes } from 'node:crypto';

/** `count` unpredictable bytes. */
export type RandomBytes = (count: number) => Uint8Array;

const BLOCK = 4096;
let block = new Uint8Array();

/** From the system in blocks: fetching 16 bytes for a serial number costs 2 µs, cutting them from a block none. */
export const systemRandom: RandomBytes = (count) => {
  if (count > BLOCK / 16) return new Uint8Array(randomBytes(count));
  if (block.length < count) block = new Uint8Array(randomBytes(BLOCK));
  // Copied and wiped, so that no number is handed out twice or stays behind.
  const bytes = block.slice(0, count);
  block.fill(0, 0, count);
  block = block.subarray(count);
  return bytes;
};

/** A number in [0, 1), for jitter only. */
export const random01 = (random: RandomBytes): number => {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 0x1_0000_0000;
};

/** A version 4 UUID (RFC 9562 section 5.4). */
export const uuid = (random: RandomBytes): string => {
  const b = Uint8Array.from(random(16));
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(b).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};
