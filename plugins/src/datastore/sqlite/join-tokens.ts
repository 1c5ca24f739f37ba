import { createHash } from 'node:crypto';
import { type AgentRecord, IssuerError, type RegistrationEntry } from '@steeple/core';
import type { JoinToken, JoinTokenState, JoinTokenStore } from '../join-token-store.ts';
import { saveAgent } from './agents.ts';
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

  async check(token: string, now: number): Promise<JoinTokenState> {
    return stateOf(this.#db.get<TokenRow>('SELECT expires_at FROM join_tokens WHERE digest = ?', [digest(token)]), now);
  }

  async consume(token: string, now: number, agent?: AgentRecord): Promise<JoinTokenState> {
    return this.#db.write((changes) => {
      const sql = 'DELETE FROM join_tokens WHERE digest = ? RETURNING expires_at';
      const state = stateOf(this.#db.get<TokenRow>(sql, [digest(token)]), now);
      if (state === 'ok' && agent !== undefined) saveAgent(this.#db, agent, changes);
      return state;
    });
  }

  async pruneExpired(now: number): Promise<number> {
    return this.#db.write(() => this.#db.run('DELETE FROM join_tokens WHERE expires_at <= ?', [now]));
  }
}

interface TokenRow {
  readonly expires_at: number;
}

function stateOf(row: TokenRow | undefined, now: number): JoinTokenState {
  if (row === undefined) return 'missing';
  return now < row.expires_at ? 'ok' : 'expired';
}

function digest(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
