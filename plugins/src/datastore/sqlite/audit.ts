import { createHash } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { edgeLevels, leafHash, type Sha256, TILE_WIDTH, TreeEdge } from '@steeple/core/log';
import type { AuditEdge, AuditStore } from '../audit-store.ts';
import type { Database } from './database.ts';

const HASH_LENGTH = 32;
/** Levels of the tree between two levels of tiles. */
const TILE_HEIGHT = Math.log2(TILE_WIDTH);

const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * Leaves with their hashes, the hashes of full tiles, and one row for the right edge, which is read and written with each
 * leaf: whatever else the transaction does, the edge comes and goes with it.
 */
export class SqliteAudit implements AuditStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  append(entries: readonly Uint8Array[]): Promise<number> {
    return this.#db.write(() => appendLeaves(this.#db, entries));
  }

  async edge(): Promise<AuditEdge> {
    return readEdge(this.#db);
  }

  async entries(start: number, end: number): Promise<readonly Uint8Array[]> {
    const sql = 'SELECT entry FROM audit_leaves WHERE idx >= ? AND idx < ? ORDER BY idx';
    return this.#db.all<{ entry: Uint8Array }>(sql, [start, end]).map(({ entry }) => entry);
  }

  async tile(level: number, index: number): Promise<readonly Uint8Array[]> {
    const [start, end] = [index * TILE_WIDTH, (index + 1) * TILE_WIDTH];
    const rows =
      level === 0
        ? this.#db.all<HashRow>('SELECT hash FROM audit_leaves WHERE idx >= ? AND idx < ? ORDER BY idx', [start, end])
        : this.#db.all<HashRow>('SELECT hash FROM audit_tiles WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx', [
            level,
            start,
            end,
          ]);
    return rows.map(({ hash }) => hash);
  }

  async checkpoint(): Promise<string | undefined> {
    return this.#db.get<{ checkpoint: string | null }>('SELECT checkpoint FROM audit_log')?.checkpoint ?? undefined;
  }

  async saveCheckpoint(note: string, size: number): Promise<void> {
    const sql = 'UPDATE audit_log SET checkpoint = ?, checkpoint_size = ? WHERE checkpoint_size <= ? AND size >= ?';
    const isNewest = await this.#db.write(() => this.#db.run(sql, [note, size, size, size]) === 1);
    if (!isNewest)
      throw new IssuerError('failed-precondition', 'the log has a checkpoint of a larger tree, or fewer leaves');
  }
}

/** Appends leaves in the transaction that is under way, beside what they are about. Returns the index of the first. */
export function appendLeaves(db: Database, entries: readonly Uint8Array[]): number {
  const { size, hashes } = readEdge(db);
  const tree = new TreeEdge(sha256, size, hashes);
  const edge: Uint8Array[] = [...hashes];
  for (const entry of entries) {
    const completed = tree.append(leafHash(sha256, entry));
    edge.length -= completed.length - 1;
    edge.push(completed.at(-1)?.hash ?? new Uint8Array());
    for (const { level, index, hash } of completed) {
      if (level === 0) db.run('INSERT INTO audit_leaves (idx, entry, hash) VALUES (?, ?, ?)', [index, entry, hash]);
      else if (level % TILE_HEIGHT === 0)
        db.run('INSERT INTO audit_tiles (level, idx, hash) VALUES (?, ?, ?)', [level / TILE_HEIGHT, index, hash]);
    }
  }
  db.run('UPDATE audit_log SET size = ?, edge = ?', [tree.size, Buffer.concat(edge)]);
  return size;
}

interface HashRow {
  readonly hash: Uint8Array;
}

function readEdge(db: Database): AuditEdge {
  const { size, edge } = db.get<{ size: number; edge: Uint8Array }>('SELECT size, edge FROM audit_log') ?? lost();
  const count = edgeLevels(size).length;
  if (edge.length !== count * HASH_LENGTH) return lost();
  const hashes = Array.from({ length: count }, (_, at) => edge.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH));
  return { size, hashes };
}

function lost(): never {
  throw new IssuerError('internal', 'the edge of the audit log is damaged: restore the database, or begin a new log');
}
