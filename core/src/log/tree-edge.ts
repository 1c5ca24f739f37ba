import { emptyRoot, nodeHash, type Sha256 } from './hashing.ts';

/** A full subtree: it covers the `2 ** level` leaves from `index * 2 ** level` on, and its hash never changes. */
export interface FullSubtree {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** Sizes are safe integers: at a million leaves a second, that is enough for 285 years. */
export const MAX_SIZE = Number.MAX_SAFE_INTEGER;

/** The levels of the full subtrees that make up a tree, from left to right: the ones of its size in binary. */
export function edgeLevels(size: number): readonly number[] {
  const levels: number[] = [];
  let level = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2), level++) if (rest % 2 === 1) levels.unshift(level);
  return levels;
}

/**
 * The right edge of a Merkle tree (RFC 6962, section 2.1): all that is needed to append leaves and to tell the root,
 * whatever the size.
 */
export class TreeEdge {
  readonly #sha256: Sha256;
  /** Full subtrees from left to right, each smaller than the one before. */
  readonly #edge: { readonly level: number; readonly hash: Uint8Array }[];
  #size: number;

  /** @param hashes of the full subtrees of a tree of that size, from left to right */
  constructor(sha256: Sha256, size = 0, hashes: readonly Uint8Array[] = []) {
    const levels = edgeLevels(size);
    if (levels.length !== hashes.length)
      throw new RangeError(`a tree of ${size} leaves has ${levels.length} full subtrees`);
    this.#sha256 = sha256;
    this.#size = size;
    this.#edge = hashes.map((hash, at) => ({ level: levels[at] ?? 0, hash }));
  }

  get size(): number {
    return this.#size;
  }

  /** Appends a leaf by its hash and returns every subtree that it completes, the leaf first. */
  append(leaf: Uint8Array): readonly FullSubtree[] {
    if (this.#size >= MAX_SIZE) throw new RangeError('the log is full');
    const completed: FullSubtree[] = [{ level: 0, index: this.#size, hash: leaf }];
    let [level, hash] = [0, leaf];
    for (let last = this.#edge.at(-1); last?.level === level; last = this.#edge.at(-1)) {
      this.#edge.pop();
      hash = nodeHash(this.#sha256, last.hash, hash);
      level++;
      completed.push({ level, index: Math.floor(this.#size / 2 ** level), hash });
    }
    this.#edge.push({ level, hash });
    this.#size++;
    return completed;
  }

  /** The Merkle tree hash of everything appended so far. */
  root(): Uint8Array {
    const [last, ...others] = this.#edge.toReversed();
    if (last === undefined) return emptyRoot(this.#sha256);
    return others.reduce((right, { hash }) => nodeHash(this.#sha256, hash, right), last.hash);
  }
}
