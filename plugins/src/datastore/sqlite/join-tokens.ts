import { createHash } from 'node:crypto';
import { IssuerError, type RegistrationEntry } from '@steeple/core';
import type { JoinToken, JoinTokenStore } from '../join-token-store.ts';
import type { Database } from './database.ts';
import { createEntry } from './entries.ts';

/** Keeps digests only: who reads the file learns no token. */
export class SqliteJoinTokens implements JoinTokenStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async create({ token, expiresAt }: JoinToken, vanityEntry?: RegistrationEntry): Promise<void> {
    if (token === '') throw new IssuerError('invalid-argument', 'the join token is empty');
    const sql = 'INSERT INTO join_tokens (digest, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING';
    await this.#db.write((changes) => {
      if (this.#db.run(sql, [digest(token), expiresAt]) === 0) {
        throw new IssuerError('already-exists', 'the join token exists already');
      }
      if (vanityEntry === undefined) return;
      const { existed, error } = createEntry(this.#db, vanityEntry, changes);
      if (error !== undefined) throw error;
      if (existed) throw new IssuerError('already-exists', 'similar entry already exists');
    });
  }

  async consume(token: string, now: number): Promise<'ok' | 'missing' | 'expired'> {
    return this.#db.write(() => {
      const sql = 'DELETE FROM join_tokens WHERE digest = ? RETURNING expires_at';
      const taken = this.#db.get<{ expires_at: number }>(sql, [digest(token)]);
      if (taken === undefined) return 'missing';
      return now < taken.expires_at ? 'ok' : 'expired';
    });
  }

  async pruneExpired(now: number): Promise<number> {
    return this.#db.write(() => this.#db.run('DELETE FROM join_tokens WHERE expires_at <= ?', [now]));
  }
}

function digest(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
