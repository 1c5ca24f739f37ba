import { chmodSync, closeSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '@steeple/daemon';
import Sqlite from 'better-sqlite3';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './migrations.ts';

type SqliteError = InstanceType<typeof Sqlite.SqliteError>;

export const IN_MEMORY = ':memory:';

/** How long a file in use by a server that is just stopping is waited for, in milliseconds as SQLite counts. */
const BUSY_TIMEOUT_MS = 2000;

/**
 * Opens a database file, creating it (mode 0600) if there is none, and holds it alone until it is closed. A commit is on
 * disk when it returns (WAL, synchronous FULL). Nothing is written to a file that is damaged, newer, or not ours.
 *
 * @throws {ConfigError} naming the file and what to do.
 */
export function openConnection(path: string): Sqlite.Database {
  if (path !== IN_MEMORY) prepareFile(path);
  let connection: Sqlite.Database | undefined;
  try {
    connection = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
    configure(connection, path);
    return connection;
  } catch (error) {
    connection?.close();
    throw error instanceof Sqlite.SqliteError ? explain(path, error) : error;
  }
}

function configure(connection: Sqlite.Database, path: string): void {
  // Before the first read, so that the lock is taken by it and a second server fails here.
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('foreign_keys = ON');
  connection.pragma('trusted_schema = OFF');
  const version = checkedVersion(connection, path);
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  migrate(connection, version);
  // A write that changes nothing, so that a read-only file is noticed now and not at the first entry.
  connection.transaction(() => connection.pragma(`user_version = ${SCHEMA_VERSION}`)).immediate();
}

function checkedVersion(connection: Sqlite.Database, path: string): number {
  const applicationId = connection.pragma('application_id', { simple: true });
  const version = Number(connection.pragma('user_version', { simple: true }));
  const tables = connection.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  if (applicationId === 0 && version === 0 && tables === 0) return 0;
  if (applicationId !== APPLICATION_ID) {
    throw problem(path, 'is a database of another program; name another file');
  }
  if (version > SCHEMA_VERSION) {
    throw problem(
      path,
      `was written by a newer version (schema ${version}, this one knows ${SCHEMA_VERSION}); run that version, or restore a backup made before the upgrade`,
    );
  }
  const damage = connection.pragma('quick_check(1)', { simple: true });
  if (damage !== 'ok') throw problem(path, DAMAGED);
  return version;
}

/** Makes the file before SQLite does, for its mode; its `-wal` file gets the same. */
function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const stats = statSync(path, { throwIfNoEntry: false });
    // An existing file is not opened here: closing any descriptor of it would drop SQLite's locks in this process.
    if (stats === undefined) closeSync(openSync(path, 'ax', 0o600));
    else checkFile(path, stats);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw problem(path, `cannot be opened (${(error as NodeJS.ErrnoException).code})`, error);
  }
}

function checkFile(path: string, stats: Stats): void {
  if (!stats.isFile()) throw problem(path, 'is not a regular file');
  if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o600);
}

const DAMAGED =
  'is damaged or no SQLite database; it was left as it is: restore a backup, or move it away to start with an empty one';

function explain(path: string, error: SqliteError): ConfigError {
  const { code } = error;
  if (code.startsWith('SQLITE_BUSY')) return problem(path, 'is in use by another running server', error);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return problem(path, DAMAGED, error);
  if (code.startsWith('SQLITE_READONLY')) return problem(path, 'cannot be written by this user', error);
  if (code === 'SQLITE_FULL') return problem(path, 'cannot be written: the disk is full', error);
  return problem(path, `cannot be opened (${code})`, error);
}

function problem(path: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ path: 'connection_string', file: path, message: `the database ${message}` }], { cause });
}
