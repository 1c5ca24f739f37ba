import { expect, it } from 'vitest';
import { systemRandom } from './randomness.ts';

it('gives as many bytes as asked for, never the same twice, each in memory of its own', () => {
  const sizes = [...Array.from({ length: 2000 }, (_, index) => 8 + (index % 25)), 255, 256, 257, 5000];
  const made = sizes.map((size) => systemRandom(size));
  expect(made.map(({ length }) => length)).toEqual(sizes);
  expect(new Set(made.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(sizes.length);
  for (const bytes of made) expect(bytes.buffer.byteLength).toBe(bytes.length);
  const [first = new Uint8Array()] = made;
  const before = Buffer.from(systemRandom(16)).toString('hex');
  first.fill(0);
  expect(Buffer.from(systemRandom(16)).toString('hex')).not.toBe(before);
});

it('is spread over all values', () => {
  const seen = new Set<number>();
  for (let round = 0; round < 1000; round++) for (const byte of systemRandom(16)) seen.add(byte);
  expect(seen.size).toBe(256);
});
