import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, silentLogger } from '@steeple/daemon';
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { anEntry } from '../contract-samples.ts';
import { MIGRATIONS, migrate, SCHEMA_VERSION } from './migrations.ts';
import { openConnection } from './open.ts';
import { SqliteDatastore } from './sqlite-datastore.ts';

const directory = mkdtempSync(join(tmpdir(), 'steeple-open-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const newPath = () => join(directory, `${++count}.sqlite3`);

async function filledFile(): Promise<string> {
  const path = newPath();
  await using store = SqliteDatastore.open(path, silentLogger);
  await store.entries.create(Array.from({ length: 200 }, (_, n) => anEntry(`e${n}`)));
  return path;
}

function refusal(path: string): string {
  try {
    openConnection(path).close();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const [problem] = (error as ConfigError).problems;
    expect(problem?.file).toBe(path);
    return problem?.message ?? '';
  }
  throw new Error('the file was opened');
}

describe('opening a database file', () => {
  it('makes it and its companions private, whatever the umask', async () => {
    const path = join(directory, 'new', 'deep', 'data.sqlite3');
    const umask = process.umask(0);
    try {
      await using store = SqliteDatastore.open(path, silentLogger);
      await store.entries.create([anEntry('a')]);
      for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777, file).toBe(0o600);
    } finally {
      process.umask(umask);
    }
  });

  it('takes away rights of others on an existing file', async () => {
    const path = await filledFile();
    chmodSync(path, 0o664);
    openConnection(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('commits to disk: WAL with synchronous FULL, foreign keys enforced', () => {
    const connection = openConnection(newPath());
    expect(connection.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(connection.pragma('synchronous', { simple: true })).toBe(2);
    expect(connection.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(connection.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    connection.close();
  });

  it('refuses a second server, in this process and in another, and leaves the first one working', async () => {
    const path = newPath();
    await using store = SqliteDatastore.open(path, silentLogger);
    expect(refusal(path)).toContain('in use by another running server');
    const script = `
      import { openConnection } from ${JSON.stringify(join(import.meta.dirname, 'open.ts'))};
      try { openConnection(${JSON.stringify(path)}); console.log('opened'); } catch (e) { console.log(e.message); }`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(other.stdout).toContain('in use by another running server');
    await store.entries.create([anEntry('a')]);
    expect(await store.entries.count()).toBe(1);
  });

  it.each([
    [
      'text',
      (path: string) => writeFileSync(path, 'this is no database, but longer than a header of SQLite '.repeat(9)),
    ],
    ['zeros', (path: string) => writeFileSync(path, Buffer.alloc(8192))],
    ['cut in half', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
    ['cut within a page', (path: string) => truncateSync(path, 4096 + 1000)],
    [
      'overwritten in the middle',
      (path: string) => {
        const bytes = readFileSync(path);
        bytes.fill(0xa5, 4096 * 2, 4096 * 12);
        writeFileSync(path, bytes);
      },
    ],
  ])('refuses a damaged file (%s) and leaves it as it is', async (_name, damage) => {
    const path = await filledFile();
    damage(path);
    const before = readFileSync(path);
    expect(refusal(path)).toContain('is damaged or no SQLite database; it was left as it is');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses a newer schema without touching it', async () => {
    const path = await filledFile();
    const newer = new Sqlite(path);
    newer.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    newer.close();
    const before = readFileSync(path);
    expect(refusal(path)).toContain(`newer version (schema ${SCHEMA_VERSION + 1}, this one knows ${SCHEMA_VERSION})`);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("refuses another program's database without touching it", () => {
    const path = newPath();
    const foreign = new Sqlite(path);
    foreign.exec('CREATE TABLE bundles (id INTEGER)');
    foreign.close();
    const before = readFileSync(path);
    expect(refusal(path)).toContain('another program');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses what is no file', () => {
    const path = newPath();
    mkdirSync(path);
    expect(refusal(path)).toContain('not a regular file');
    const inFile = join(newPath());
    writeFileSync(inFile, '');
    expect(refusal(join(inFile, 'x.sqlite3'))).toContain('cannot be opened');
    const dangling = newPath();
    symlinkSync('/nonexistent/elsewhere', dangling);
    expect(refusal(dangling)).toContain('cannot be opened');
  });

  it('starts from the empty file that a kill at the first start leaves', () => {
    const path = newPath();
    writeFileSync(path, '', { mode: 0o600 });
    openConnection(path).close();
    openConnection(path).close();
  });
});

describe('migrations', () => {
  it('happen whole or not at all, and go on where they stopped', () => {
    const connection = new Sqlite(':memory:');
    const broken = [...MIGRATIONS, 'CREATE TABLE extra (a); INSERT INTO nowhere VALUES (1);'];
    expect(() => migrate(connection, 0, broken)).toThrow('nowhere');
    expect(connection.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    expect(connection.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").pluck().get()).toBe(0);
    migrate(connection, SCHEMA_VERSION, [...MIGRATIONS, 'CREATE TABLE extra (a);']);
    expect(connection.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION + 1);
  });
});
