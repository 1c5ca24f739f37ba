// A server whose stored files are damaged, taken or too new: it says so, touches nothing, and goes on once they are back.
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../stack/stack.ts';
import { refusal, variant } from './refusal.ts';

let stack: Stack;
let data: string;
let before: string;
const keys = () => join(data, 'keys.json');
const database = () => join(data, 'datastore.sqlite3');
const listed = () => stack.cli(['entry', 'list', '-o', 'json']);
const roots = () => stack.cli(['bundle', 'show', '--format', 'pem']);
const ownServer = () => ['server', 'run', '--config', join(stack.dir, 'server.json')];
const runServer = (config: string) => refusal('server', 'run', '--config', config);
const serverVariant = (name: string, settings: Readonly<Record<string, unknown>>) =>
  variant(join(stack.dir, 'server.json'), join(stack.dir, name), 'server', settings);

/** Replaces a stored file, tries to start, puts the file back; what was there meanwhile must be untouched. */
async function withDamaged(path: string, damage: (good: Buffer) => Buffer, args = ownServer()): Promise<string> {
  const good = await readFile(path);
  const bad = damage(good);
  await writeFile(path, bad);
  try {
    const said = await refusal(...args);
    expect(bad.equals(await readFile(path))).toBe(true);
    return said;
  } finally {
    await writeFile(path, good);
  }
}

beforeAll(async () => {
  stack = await Stack.start();
  data = join(stack.dir, 'server');
  await stack.createEntry({ id: 'spiffe://example.org/web', selectors: ['unix:uid:1'] });
  before = (await listed()) + (await roots());
  await stack.agent.stop();
}, 60_000);
afterAll(() => stack?.stop());

describe('beside a running server', () => {
  it('a second one on the same data is refused, and the first goes on', async () => {
    expect(await refusal(...ownServer())).toMatch(
      /server\.data_dir: .*server is in use by another server \(process \d+\): stop it or use another/,
    );
    expect((await listed()) + (await roots())).toBe(before);
  });

  it('a second one on the same port, or the same socket, is refused and leaves no socket', async () => {
    const elsewhere = join(stack.dir, 'second');
    const socket = join(elsewhere, 'api.sock');
    const samePort = await serverVariant('port.json', { data_dir: elsewhere, socket_path: socket });
    expect(await runServer(samePort)).toMatch(
      new RegExp(`server\\.bind_port: port ${stack.port} on 127.0.0.1 is in use .* choose another port`),
    );
    expect(await readdir(elsewhere)).not.toContain('api.sock');
    const sameSocket = await serverVariant('socket.json', { data_dir: elsewhere, bind_port: 0 });
    expect(await runServer(sameSocket)).toMatch(/server\.socket_path: socket .*api\.sock is in use/);
    expect((await listed()) + (await roots())).toBe(before);
  });

  it('no socket is made where it cannot be, or where others could replace it', async () => {
    const open = join(stack.dir, 'open');
    await mkdir(open);
    await chmod(open, 0o777);
    const elsewhere = { data_dir: join(stack.dir, 'third'), bind_port: 0 };
    const inOpen = await serverVariant('open.json', { ...elsewhere, socket_path: join(open, 'api.sock') });
    expect(await runServer(inOpen)).toMatch(
      /server\.socket_path: directory .*open .*writable by every user.*chmod o-w/,
    );
    const tooLong = join(stack.dir, 'x'.repeat(100), 'api.sock');
    const long = await serverVariant('long.json', { ...elsewhere, socket_path: tooLong });
    expect(await runServer(long)).toMatch(/server\.socket_path: socket path .* bytes; at most 107 .* shorter/);
    expect(await refusal('server', 'validate', '--config', long)).toMatch(/server\.socket_path: .*at most 107/);
    const occupied = join(stack.dir, 'notes.txt');
    await writeFile(occupied, 'precious');
    const file = await serverVariant('file.json', { ...elsewhere, socket_path: occupied });
    expect(await runServer(file)).toMatch(/server\.socket_path: .*notes\.txt exists and is not a socket/);
    expect(await readFile(occupied, 'utf8')).toBe('precious');
    // None of them got as far as making keys or a database.
    expect(await readdir(elsewhere.data_dir)).toEqual(['server.lock']);
  });

  it('an agent is as careful with its socket', async () => {
    const make = (name: string, settings: Readonly<Record<string, unknown>>) =>
      variant(join(stack.dir, 'agent.json'), join(stack.dir, name), 'agent', settings);
    const tooLong = await make('a-long.json', { socket_path: join(stack.dir, 'x'.repeat(100), 'api.sock') });
    expect(await refusal('agent', 'run', '--config', tooLong)).toMatch(/agent\.socket_path: .*at most 107/);
    expect(await refusal('agent', 'validate', '--config', tooLong)).toMatch(/agent\.socket_path: .*at most 107/);
    const inOpen = await make('a-open.json', { socket_path: join(stack.dir, 'open', 'api.sock') });
    expect(await refusal('agent', 'run', '--config', inOpen)).toMatch(/agent\.socket_path: .*chmod o-w/);
    const taken = await make('a-taken.json', { socket_path: stack.adminSocket });
    expect(await refusal('agent', 'run', '--config', taken)).toMatch(/agent\.socket_path: .*in use/);
  });
});

describe('a stopped server', () => {
  beforeAll(async () => {
    expect(await stack.server.stop('SIGTERM')).toBe(0);
  });

  it('left no socket behind, and neither did its agent', async () => {
    expect(await stack.agent.ended).toBe(0);
    expect(await readdir(data)).not.toContain('api.sock');
    expect(await readdir(join(stack.dir, 'agent'))).not.toContain('api.sock');
  });

  it.each<[string, (good: Buffer) => Buffer, RegExp]>([
    ['overwritten', () => Buffer.alloc(8192, 'no database '), /damaged or no SQLite database.*restore a backup/],
    ['truncated', (good) => good.subarray(0, good.length / 2), /damaged or no SQLite database.*restore a backup/],
    [
      'damaged inside',
      (good) => Buffer.concat([good.subarray(0, 4096), Buffer.alloc(8192, 0xff), good.subarray(12288)]),
      /damaged or no SQLite database.*restore a backup/,
    ],
  ])('does not start from a database that is %s, and leaves it as it is', async (_how, damage, message) => {
    const said = await withDamaged(database(), damage);
    expect(said).toContain(`${database()}: plugins.DataStore.sql.plugin_data.connection_string: the database`);
    expect(said).toMatch(message);
  });

  it('does not start from a database of a newer version', async () => {
    const backup = join(stack.dir, 'backup.sqlite3');
    await copyFile(database(), backup);
    const newer = new DatabaseSync(database());
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(await refusal(...ownServer())).toMatch(
      /datastore\.sqlite3: .*written by a newer version \(schema 99, .*restore a backup/,
    );
    await copyFile(backup, database());
  });

  it.each<[string, (good: Buffer) => Buffer]>([
    ['truncated', (good) => good.subarray(0, good.length / 2)],
    ['empty', () => Buffer.alloc(0)],
    ['binary', () => Buffer.alloc(200, 0xfe)],
    ['an array', () => Buffer.from('[]')],
    ['holding no key', (good) => Buffer.from(good.toString().replaceAll(/MI[A-Za-z0-9+/=]{20,}/g, 'AAAA'))],
  ])('does not start from a keys file that is %s, and shows no key', async (_how, damage) => {
    const good = JSON.parse(await readFile(keys(), 'utf8')) as { keys: Record<string, string> };
    const said = await withDamaged(keys(), damage);
    expect(said).toContain(keys());
    for (const secret of Object.values(good.keys)) expect(said).not.toContain(secret.slice(40, 80));
  });

  it.each<[string, string, (good: Buffer) => Buffer]>([
    ['agent-data.json', 'truncated', (good) => good.subarray(0, good.length / 2)],
    ['agent-data.json', 'binary', () => Buffer.alloc(64, 0xfe)],
    ['keys.json', 'truncated', (good) => good.subarray(0, good.length / 2)],
  ])('has an agent that does not start from its %s when it is %s', async (name, _how, damage) => {
    const path = join(stack.dir, 'agent', name);
    const said = await withDamaged(path, damage, ['agent', 'run', '--config', join(stack.dir, 'agent.json')]);
    expect(said).toContain(path);
    expect(said).not.toContain((await readFile(path, 'utf8')).slice(60, 100));
  });

  it('starts again with everything that was stored', async () => {
    await stack.startServer();
    expect((await listed()) + (await roots())).toBe(before);
    await stack.startAgent();
    expect(await stack.agentList()).toHaveLength(1);
  });

  it('that lost its keys makes new ones, keeps the entries, and its old roots stay known', async () => {
    await stack.agent.stop();
    await stack.server.stop();
    const old = await readFile(keys());
    await rm(keys());
    await stack.startServer();
    expect(await listed()).toBe(before.slice(0, before.indexOf('-----BEGIN')));
    expect((await roots()).length).toBeGreaterThan(before.length - before.indexOf('-----BEGIN'));
    expect(old.length).toBeGreaterThan(0);
  });
});
