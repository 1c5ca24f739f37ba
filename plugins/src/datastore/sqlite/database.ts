import { IssuerError } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import Sqlite from 'better-sqlite3';
import type { StoreChange } from '../datastore.ts';
import { ChangeLog } from './change-log.ts';

export type Parameter = string | number | bigint | Uint8Array | null;
export type Parameters = readonly Parameter[] | Readonly<Record<string, Parameter>>;
type Listener = (change: StoreChange) => void;

/**
 * One open SQLite file. Statements run at once and never span an `await`, so a transaction sees no other one between
 * its steps.
 */
export class Database {
  readonly #connection: Sqlite.Database;
  readonly #logger: Logger;
  readonly #statements = new Map<string, Sqlite.Statement>();
  readonly #listeners = new Set<Listener>();

  constructor(connection: Sqlite.Database, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
  }

  all<Row>(sql: string, parameters: Parameters = []): Row[] {
    return this.#guard(() => this.#prepare(sql).all(parameters) as Row[]);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the row its SQL selects
  get<Row>(sql: string, parameters: Parameters = []): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(parameters) as Row | undefined);
  }

  /** Runs a writing statement and tells how many rows it changed. */
  run(sql: string, parameters: Parameters = []): number {
    return this.#guard(() => this.#prepare(sql).run(parameters).changes);
  }

  /** The row number of the last inserted row. */
  insert(sql: string, parameters: Parameters = []): number {
    return this.#guard(() => Number(this.#prepare(sql).run(parameters).lastInsertRowid));
  }

  /**
   * Runs `work` as one transaction: all of it is on disk when this returns, none of it if `work` throws. Listeners hear
   * of the change after the commit.
   */
  write<T>(work: (changes: ChangeLog) => T): T {
    const changes = new ChangeLog();
    const result = this.#guard(() => this.#connection.transaction(work).immediate(changes));
    this.#announce(changes.result());
    return result;
  }

  watch(listener: Listener): () => void {
    // Wrapped, so that one function registered twice is two watches.
    const own: Listener = (change) => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): void {
    this.#listeners.clear();
    this.#statements.clear();
    if (this.#connection.open) this.#guard(() => this.#connection.close());
  }

  /** @throws {IssuerError} `unavailable` once it is closed */
  requireOpen(): void {
    if (!this.#connection.open) throw new IssuerError('unavailable', 'the datastore is closed');
  }

  #prepare(sql: string): Sqlite.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    this.requireOpen();
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error;
      throw new IssuerError('internal', `datastore-sql: ${error.message} (${error.code})`, { cause: error });
    }
  }

  #announce(change: StoreChange | undefined): void {
    if (change === undefined) return;
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#logger.error('A listener of the datastore failed', { error });
      }
    }
  }
}
