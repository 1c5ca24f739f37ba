import { nodeHash, type Sha256, sameBytes } from './hashing.ts';

/** A tree's size and root, as a checkpoint states them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

/** Whether the leaf with this hash is the `index`-th of the tree (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(
  sha256: Sha256,
  head: TreeHead,
  leaf: { readonly index: number; readonly hash: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!(Number.isSafeInteger(leaf.index) && leaf.index >= 0 && leaf.index < head.size)) return false;
  let [at, last, hash] = [leaf.index, head.size - 1, leaf.hash];
  for (const step of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = nodeHash(sha256, step, hash);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(sha256, hash, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && sameBytes(hash, head.root);
}

/** Whether the newer tree begins with the older one, so that nothing was taken out or changed (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  sha256: Sha256,
  older: TreeHead,
  newer: TreeHead,
  proof: readonly Uint8Array[],
): boolean {
  if (!(Number.isSafeInteger(older.size) && older.size >= 0 && older.size <= newer.size)) return false;
  if (older.size === newer.size) return proof.length === 0 && sameBytes(older.root, newer.root);
  if (older.size === 0) return proof.length === 0;
  // A full older tree is a subtree of the newer one, and its root is left out of the proof.
  const steps = Number.isInteger(Math.log2(older.size)) ? [older.root, ...proof] : [...proof];
  const first = steps.shift();
  if (first === undefined) return false;
  let [at, last] = [older.size - 1, newer.size - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  let [old, now] = [first, first];
  for (const step of steps) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      old = nodeHash(sha256, step, old);
      now = nodeHash(sha256, step, now);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      now = nodeHash(sha256, now, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && sameBytes(old, older.root) && sameBytes(now, newer.root);
}
