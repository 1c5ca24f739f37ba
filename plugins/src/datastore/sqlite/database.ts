import { IssuerError } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import Sqlite from 'better-sqlite3';
import type { StoreChange } from '../datastore.ts';
import { ChangeLog } from './change-log.ts';

export type Parameter = string | number | bigint | Uint8Array | null;
export type Parameters = readonly Parameter[] | Readonly<Record<string, Parameter>>;
type Listener = (change: StoreChange) => void;

/** One piece of work that waits for its transaction. */
interface Waiting {
  readonly work: (changes: ChangeLog) => unknown;
  readonly done: (value: unknown) => void;
  readonly failed: (error: unknown) => void;
}

/** Pieces of work in one transaction; more would keep everybody else waiting. */
const TOGETHER = 200;

/**
 * One open SQLite file. Statements run at once and never span an `await`, so a piece of work sees no other one between
 * its steps. What comes at the same time is committed together, for each commit waits for the disk.
 */
export class Database {
  readonly #connection: Sqlite.Database;
  readonly #logger: Logger;
  readonly #statements = new Map<string, Sqlite.Statement>();
  readonly #listeners = new Set<Listener>();
  readonly #alone: (work: Waiting['work'], changes: ChangeLog) => unknown;
  readonly #together: (waiting: readonly Waiting[]) => readonly (() => void)[];
  #waiting: Waiting[] = [];
  /** What the connection would tell too, by a call into it. */
  #open = true;

  constructor(connection: Sqlite.Database, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    // Within a transaction this is a savepoint, so what one piece of work did goes back when it fails.
    this.#alone = connection.transaction((work: Waiting['work'], changes: ChangeLog) => work(changes));
    const together = connection.transaction((all: readonly Waiting[]) => all.map((one) => this.#attempt(one)));
    this.#together = (all) => together.immediate(all);
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
   * Runs `work` whole or not at all: it is on disk when this resolves, and nothing of it is there if `work` throws, which
   * comes through. Listeners hear of the change after the commit and before whoever waits.
   */
  write<T>(work: (changes: ChangeLog) => T): Promise<T> {
    this.requireOpen();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, done: (value) => resolve(value as T), failed: reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#commit());
    });
  }

  watch(listener: Listener): () => void {
    // Wrapped, so that one function registered twice is two watches.
    const own: Listener = (change) => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): void {
    while (this.#waiting.length > 0) this.#commit();
    this.#listeners.clear();
    this.#statements.clear();
    if (!this.#open) return;
    this.#guard(() => this.#connection.close());
    this.#open = false;
  }

  /** @throws {IssuerError} `unavailable` once it is closed */
  requireOpen(): void {
    if (!this.#open) throw new IssuerError('unavailable', 'the datastore is closed');
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

  #commit(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting.slice(0, TOGETHER);
    this.#waiting = this.#waiting.slice(TOGETHER);
    if (this.#waiting.length > 0) setImmediate(() => this.#commit());
    let outcomes: readonly (() => void)[];
    try {
      outcomes = this.#guard(() => this.#together(waiting));
    } catch (error) {
      // Nothing is on disk, whoever's fault it was.
      outcomes = waiting.map(
        ({ failed }) =>
          () =>
            failed(error),
      );
    }
    for (const tell of outcomes) tell();
  }

  /** One piece of work within a transaction; what it came to may be told after the commit. */
  #attempt({ work, done, failed }: Waiting): () => void {
    const changes = new ChangeLog();
    try {
      const value = this.#guard(() => this.#alone(work, changes));
      return () => {
        this.#announce(changes.result());
        done(value);
      };
    } catch (error) {
      // A full disk may end the whole transaction; then it is everybody's failure.
      if (!this.#connection.inTransaction) throw error;
      return () => failed(error);
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
