// The commands against two real servers in this process, which publish their bundles.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { configOf } from '@steeple/daemon/config';
import { createServer, parseServerConfig, type Server } from '@steeple/server';
import { MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { main } from '../../main.ts';

let dir: TempDir;
let a: Server;
let b: Server;
let out: string[];
let err: string[];

const start = async (name: string): Promise<Server> => {
  const server = {
    trust_domain: name,
    bind_address: '127.0.0.1',
    bind_port: 0,
    socket_path: dir.join(`${name}.sock`),
    data_dir: dir.join(name),
    federation: { bundle_endpoint: { address: '127.0.0.1', port: 0, profile: { https_spiffe: {} } } },
  };
  const made = createServer(parseServerConfig(configOf({ server })), { logger: new MemoryLogger() });
  await made.start();
  return made;
};

const steeple = (...args: string[]): Promise<number> =>
  main([...args, '--socket', a.addresses.socketPath], {
    env: {},
    signal: new AbortController().signal,
    colour: false,
    uid: 7,
    userName: 'someone',
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    now: () => Date.now() / 1000,
  });

beforeAll(async () => {
  dir = await tempDir();
  a = await start('a.test');
  b = await start('b.test');
});

afterAll(async () => {
  await a?.stop();
  await b?.stop();
  await dir?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  out = [];
  err = [];
});

const url = (): string => `https://127.0.0.1:${b.addresses.bundleEndpoint?.port}/`;

/** Of the root of b.test. */
const pin = async (): Promise<string> => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url(), { rejectUnauthorized: false }, resolve).once('error', reject);
  });
  const document = await text(response);
  const { keys } = JSON.parse(document) as { keys: { use: string; x5c?: string[] }[] };
  const root = keys.find(({ use }) => use === 'x509-svid')?.x5c?.[0] ?? '';
  await writeFile(dir.join('b.json'), document);
  return createHash('sha256').update(Buffer.from(root, 'base64')).digest('hex');
};

it('creates a relationship whose first bundle comes by a pin, and shows it', async () => {
  const fingerprint = await pin();
  expect(await steeple('federation', 'create', 'b.test', '--endpoint-url', url(), '--bundle-pin', '0'.repeat(64))).toBe(
    1,
  );
  expect(err.join()).toContain('no root with this SHA-256 fingerprint');
  expect(await steeple('federation', 'create', 'b.test', '--endpoint-url', url(), '--bundle-pin', fingerprint)).toBe(0);
  expect(out).toEqual(['following b.test']);
  expect(await steeple('federation', 'refresh', 'b.test')).toBe(0);
  expect(await steeple('federation', 'list', '-o', 'wide')).toBe(0);
  expect(out.at(-1)).toMatch(
    /b\.test +https_spiffe +https:\/\/127\.0\.0\.1:\d+\/ +sequence \d+ +spiffe:\/\/b\.test\/spire\/server/,
  );
  expect(await steeple('federation', 'show', 'b.test')).toBe(0);
  expect(out.at(-1)).toMatch(/X\.509 authority/);
  expect(await steeple('federation', 'create', 'b.test', '--endpoint-url', url())).toBe(1);
  expect(err.at(-1)).toContain('AlreadyExists');
});

it('changes only what is given', async () => {
  expect(await steeple('federation', 'update', 'b.test')).toBe(1);
  expect(err.join()).toContain('nothing to change');
  expect(await steeple('federation', 'update', 'b.test', '--endpoint-url', 'https://localhost:1/')).toBe(0);
  expect(await steeple('federation', 'refresh', 'b.test')).toBe(1);
  expect(err.join()).toContain('failed to refresh bundle');
  expect(await steeple('federation', 'show', 'b.test', '-o', 'json')).toBe(0);
  const shown = JSON.parse(out.at(-1) ?? '') as Record<string, unknown>;
  expect(shown).toMatchObject({
    bundle_endpoint_url: 'https://localhost:1/',
    https_spiffe: { endpoint_spiffe_id: 'spiffe://b.test/spire/server' },
  });
  expect(
    await steeple('federation', 'update', 'b.test', '--endpoint-url', url(), '--bundle-path', dir.join('b.json')),
  ).toBe(0);
  expect(await steeple('federation', 'refresh', 'b.test')).toBe(0);
});

it('ends a relationship, with its bundle if asked to', async () => {
  expect(await steeple('federation', 'delete', 'b.test', '--with-bundle')).toBe(0);
  expect(await steeple('federation', 'list')).toBe(0);
  expect(out.at(-1)).toContain('no relationships');
  expect(await steeple('bundle', 'list')).toBe(0);
  expect(out.at(-1)).toContain('no bundles');
  expect(await steeple('federation', 'delete', 'b.test')).toBe(1);
  expect(err.at(-1)).toContain('NotFound');
  expect(await steeple('federation', 'refresh', 'b.test')).toBe(1);
  expect(err.join()).toContain('no relationship with trust domain "b.test"');
});

it.each([
  [['--endpoint-url', 'http://b.test/'], '--endpoint-url: bundle endpoint URL must use the https scheme'],
  [
    ['--endpoint-url', 'https://b.test/', '--profile', 'https_web', '--endpoint-spiffe-id', 'spiffe://b.test/x'],
    'has none',
  ],
  [['--endpoint-url', 'https://b.test/', '--endpoint-spiffe-id', 'b.test'], 'not a SPIFFE ID'],
  [['--endpoint-url', 'https://b.test/', '--bundle-pin', 'abc'], '--bundle-pin'],
  [['--endpoint-url', 'https://b.test/', '--bundle-pin', 'a', '--bundle-url', 'https://x'], 'one of them'],
  [['--endpoint-url', 'https://b.test/', '--bundle-path', '/nonexistent'], '--bundle-path'],
  [['--endpoint-url', 'https://b.test/', '--profile', 'web'], 'https_web'],
  [[], '--endpoint-url'],
])('refuses %j', async (flags, message) => {
  expect(await steeple('federation', 'create', 'c.test', ...flags)).toBe(1);
  expect(err.join()).toContain(message);
});

it('says that a first bundle is missing', async () => {
  expect(await steeple('federation', 'create', 'c.test', '--endpoint-url', 'https://127.0.0.1:1/')).toBe(0);
  expect(err.join()).toContain('steeple bundle set c.test');
});
