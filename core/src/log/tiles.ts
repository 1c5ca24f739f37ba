import { nodeHash, type Sha256 } from './hashing.ts';
import type { ReadSubtree } from './proofs.ts';

/** Hashes in a full tile; a tile stands for a subtree of height 8 (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

export interface TileId {
  /** 0: leaf hashes; n: hashes of full tiles of level n - 1. `entries`: the entries themselves. */
  readonly level: number | 'entries';
  readonly index: number;
  /** Below {@link TILE_WIDTH} for a tile at the right edge. */
  readonly width: number;
}

/** The path of a tile below the log's address. */
export function tilePath({ level, index, width }: TileId): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const folders = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`));
  return ['tile', level, ...folders].join('/') + (width < TILE_WIDTH ? `.p/${width}` : '');
}

/** The tile of a path, or undefined if no tile has this path. */
export function parseTilePath(path: string): TileId | undefined {
  const [, level, folders = '', width] =
    /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path) ?? [];
  if (level === undefined) return undefined;
  const id: TileId = {
    level: level === 'entries' ? level : Number(level),
    index: Number(folders.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const isTile = Number.isSafeInteger(id.index) && id.width > 0 && tilePath(id) === path;
  return isTile && (id.level === 'entries' || id.level < 64) ? id : undefined;
}

/** How many hashes the last tile of a level has in a tree of that size; 0 if the level ends with a full one. */
export function partialWidth(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** Reads subtrees out of tiles; what lies between two levels of tiles is hashed again. */
export function subtreesOfTiles(
  sha256: Sha256,
  readTile: (level: number, index: number) => readonly Uint8Array[],
): ReadSubtree {
  return (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    const start = index * count;
    const tile = readTile(tileLevel, Math.floor(start / TILE_WIDTH));
    const at = start % TILE_WIDTH;
    if (tile.length < at + count) throw new RangeError(`the log has no subtree ${level}/${index}`);
    return fold(sha256, tile.slice(at, at + count));
  };
}

function fold(sha256: Sha256, hashes: readonly Uint8Array[]): Uint8Array {
  const [left, right] = hashes;
  if (left === undefined) throw new RangeError('nothing to hash');
  if (right === undefined) return left;
  const half = hashes.length / 2;
  return nodeHash(sha256, fold(sha256, hashes.slice(0, half)), fold(sha256, hashes.slice(half)));
}
