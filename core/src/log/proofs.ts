import { nodeHash, type Sha256 } from './hashing.ts';

/** Reads the hash of a full subtree of the log, see {@link import('./tree-edge.ts').FullSubtree}. */
export type ReadSubtree = (level: number, index: number) => Uint8Array;

/** The largest power of two below `size`. */
function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/**
 * The audit path of a leaf, from the leaf upwards (RFC 6962, section 2.1.1).
 *
 * @throws {RangeError} unless `0 <= index < size`
 */
export function inclusionProof(sha256: Sha256, read: ReadSubtree, index: number, size: number): readonly Uint8Array[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  return path(sha256, read, index, 0, size);
}

/**
 * What shows that the tree of `size` leaves begins with the one of `oldSize` (RFC 6962, section 2.1.2).
 *
 * @throws {RangeError} unless `1 <= oldSize <= size`
 */
export function consistencyProof(
  sha256: Sha256,
  read: ReadSubtree,
  oldSize: number,
  size: number,
): readonly Uint8Array[] {
  if (!(oldSize >= 1 && oldSize <= size))
    throw new RangeError(`a tree of ${size} leaves has no beginning of ${oldSize}`);
  return oldPath(sha256, read, oldSize, 0, size, true);
}

/** The hash of the leaves `[start, start + count)`; `start` is a multiple of the power of two that holds them. */
export function rangeHash(sha256: Sha256, read: ReadSubtree, start: number, count: number): Uint8Array {
  const level = Math.log2(count);
  if (Number.isInteger(level)) return read(level, start / count);
  const left = split(count);
  return nodeHash(sha256, rangeHash(sha256, read, start, left), rangeHash(sha256, read, start + left, count - left));
}

function path(sha256: Sha256, read: ReadSubtree, index: number, start: number, count: number): Uint8Array[] {
  if (count === 1) return [];
  const left = split(count);
  const [below, beside] =
    index < left
      ? [path(sha256, read, index, start, left), rangeHash(sha256, read, start + left, count - left)]
      : [path(sha256, read, index - left, start + left, count - left), rangeHash(sha256, read, start, left)];
  return [...below, beside];
}

/** @param known whether who verifies knows the hash of this very range */
function oldPath(
  sha256: Sha256,
  read: ReadSubtree,
  old: number,
  start: number,
  count: number,
  known: boolean,
): Uint8Array[] {
  if (old === count) return known ? [] : [rangeHash(sha256, read, start, count)];
  const left = split(count);
  return old <= left
    ? [...oldPath(sha256, read, old, start, left, known), rangeHash(sha256, read, start + left, count - left)]
    : [...oldPath(sha256, read, old - left, start + left, count - left, false), rangeHash(sha256, read, start, left)];
}
