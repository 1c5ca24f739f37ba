import type { Logger } from '@steeple/daemon';
import type { Datastore, StoreChange } from '../datastore.ts';
import { SqliteAgents } from './agents.ts';
import { SqliteAudit } from './audit.ts';
import { SqliteAuthorities } from './authorities.ts';
import { SqliteBundles } from './bundles.ts';
import { Database } from './database.ts';
import { SqliteEntries } from './entries.ts';
import { SqliteFederation } from './federation.ts';
import { SqliteJoinTokens } from './join-tokens.ts';
import { openConnection } from './open.ts';

/** The stores over one SQLite file. */
export class SqliteDatastore implements Datastore {
  readonly entries: SqliteEntries;
  readonly agents: SqliteAgents;
  readonly joinTokens: SqliteJoinTokens;
  readonly bundles: SqliteBundles;
  readonly federation: SqliteFederation;
  readonly authorities: SqliteAuthorities;
  readonly audit: SqliteAudit;
  readonly #db: Database;

  /** @throws {ConfigError} as `openConnection`. */
  static open(path: string, logger: Logger): SqliteDatastore {
    return new SqliteDatastore(new Database(openConnection(path), logger));
  }

  private constructor(db: Database) {
    this.#db = db;
    this.entries = new SqliteEntries(db);
    this.agents = new SqliteAgents(db);
    this.joinTokens = new SqliteJoinTokens(db);
    this.bundles = new SqliteBundles(db);
    this.federation = new SqliteFederation(db);
    this.authorities = new SqliteAuthorities(db);
    this.audit = new SqliteAudit(db);
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#db.watch(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#db.close();
  }
}
