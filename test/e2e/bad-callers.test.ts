// What reaches a running server and agent from outside: requests that are wrong, bytes that are no requests, and kill -9.
// Nothing of it ends them, and nothing stored is lost.
import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { agentV1, entryV1, svidV1 } from '@steeple/proto/server-api';
import { generateKey, localSigner, makeCsr, parseCertificatesPem } from '@steeple/spiffe';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../stack/stack.ts';
import { garbage, throwAt } from './garbage.ts';
import { expectNoStack, refusal } from './refusal.ts';

const steeple = new URL('../../cli/src/bin/steeple.ts', import.meta.url).pathname;
let stack: Stack;
let entryId: string;
let before: string;
const listed = () => stack.cli(['entry', 'list', '-o', 'json']);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'OK',
    (error: unknown) => (error instanceof GrpcError ? error.code : error),
  );
const web = () => ['api', 'fetch', 'x509', '-o', 'json', '--socket', stack.workloadSocket];
const csr = (uri: string) => makeCsr(localSigner(generateKey('ec-p256')), { uri });

/** How a client reaches the server's port: as a stranger, or with the identity that the agent keeps in its folder. */
async function remote(as: 'stranger' | 'agent') {
  const address = `127.0.0.1:${stack.port}`;
  const root = await readFile(join(stack.dir, 'bundle.pem'));
  const check = { checkServerIdentity: () => undefined };
  if (as === 'stranger') return { address, credentials: credentials.createSsl(root, null, null, check) };
  const read = async (name: string) => JSON.parse(await readFile(join(stack.dir, 'agent', name), 'utf8'));
  const { svid } = (await read('agent-data.json')) as { svid: string[] };
  const chain = svid.map((text) => Buffer.from(text, 'base64').toString()).join('');
  const [leaf] = parseCertificatesPem(chain);
  const { keys } = (await read('keys.json')) as { keys: Record<string, string> };
  const key = Object.values(keys)
    .map((text) => createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' }))
    .find((key) => leaf !== undefined && createPublicKey(key).equals(leaf.publicKey));
  const pem = Buffer.from(key?.export({ format: 'pem', type: 'pkcs8' }) ?? '');
  return { address, credentials: credentials.createSsl(root, pem, Buffer.from(chain), check) };
}

beforeAll(async () => {
  stack = await Stack.start();
  entryId = await stack.createEntry({
    id: 'spiffe://example.org/web',
    selectors: [`unix:uid:${process.getuid?.() ?? 0}`],
  });
  before = await listed();
}, 60_000);
afterAll(() => stack?.stop());
afterEach(async () => {
  expect(stack.server.running && stack.agent.running).toBe(true);
  expect(await listed()).toBe(before);
  for (const { output } of [stack.server, stack.agent]) {
    expectNoStack(output);
    expect(output).not.toMatch(/PRIVATE KEY|unhandled|uncaught/i);
  }
});

describe('requests that are wrong', () => {
  it('an entry of a foreign trust domain is refused by the command and by the service', async () => {
    const create = (id: string, parent: string) =>
      refusal(
        'entry',
        'create',
        '--spiffe-id',
        id,
        '--parent-id',
        parent,
        '--selector',
        'unix:uid:1',
        '--socket',
        stack.adminSocket,
      );
    const own = 'spiffe://example.org/a';
    expect(await create('spiffe://foreign.org/a', own)).toMatch(/foreign\.org.*not a member.*"example\.org"/);
    expect(await create(own, 'spiffe://foreign.org/a')).toMatch(/parent.*foreign\.org.*"example\.org"/);
    const entry = createClient(entryV1.Entry, {
      address: `unix:${stack.adminSocket}`,
      credentials: credentials.createInsecure(),
    });
    const id = (trustDomain: string, path: string) => ({ trustDomain, path });
    const { results } = await entry.batchCreateEntry({
      entries: [
        {
          spiffeId: id('foreign.org', '/a'),
          parentId: id('example.org', '/p'),
          selectors: [{ type: 'a', value: 'b' }],
        },
        { spiffeId: id('example.org', '/../a'), parentId: id('example.org', '/p') },
        {},
      ],
    });
    entry.close();
    expect(results.map(({ status }) => status?.code)).toEqual(Array(3).fill(Code.INVALID_ARGUMENT));
  });

  it('a malformed CSR is InvalidArgument and does not use up the join token', async () => {
    const token = await stack.joinToken();
    const agent = createClient(agentV1.Agent, await remote('stranger'));
    const good = await csr('');
    const bent = Uint8Array.from(good);
    bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1;
    for (const bad of [
      new Uint8Array(),
      Uint8Array.of(0x30, 0x80),
      bent,
      good.subarray(0, 60),
      Buffer.alloc(9000, 48),
    ]) {
      const data = { type: 'join_token', payload: Buffer.from(token) };
      const step = { case: 'params' as const, value: { data, params: { csr: Uint8Array.from(bad) } } };
      const answers = agent.attestAgent(
        (async function* () {
          yield { step };
        })(),
        { deadline: 10 },
      );
      expect(await codeOf(answers[Symbol.asyncIterator]().next())).toBe(Code.INVALID_ARGUMENT);
    }
    agent.close();
    expect(stack.server.output).not.toContain(token);
    await stack.agent.stop();
    const second = ['--config', join(stack.dir, 'agent.json'), '--join-token', token];
    const joined = stack.spawn('second', ['agent', 'run', ...second]);
    await joined.line(/Agent started/);
    expect(await joined.stop()).toBe(0);
    await stack.startAgent();
  });

  it('BatchNewX509SVID judges each CSR for itself; strangers get nothing', async () => {
    const stranger = createClient(svidV1.SVID, await remote('stranger'));
    expect(await codeOf(stranger.batchNewX509SVID({ params: [] }, { deadline: 10 }))).toBe(Code.PERMISSION_DENIED);
    stranger.close();
    const client = createClient(svidV1.SVID, await remote('agent'));
    const good = Uint8Array.from(await csr('spiffe://example.org/web'));
    const foreign = Uint8Array.from(await csr('spiffe://foreign.org/web'));
    const { results } = await client.batchNewX509SVID(
      {
        params: [
          { entryId, csr: Uint8Array.of(1, 2, 3) },
          { entryId, csr: new Uint8Array() },
          { entryId, csr: good.slice(0, -1) },
          { entryId: 'nope', csr: good },
          { entryId: '', csr: good },
          { entryId, csr: good },
          { entryId, csr: foreign },
        ],
      },
      { deadline: 10 },
    );
    client.close();
    const codes = results.map(({ status }) => status?.code);
    expect(codes.slice(0, 6)).toEqual([3, 3, 3, 5, 3, 0]);
    for (const { svid } of results.filter(({ status }) => status?.code === 0)) expect(svid?.id?.path).toBe('/web');
  });
});

describe('bytes that are no requests', () => {
  it.each(['admin socket', 'Workload API socket', 'port', 'port after TLS'])('do the %s no harm', async (where) => {
    const path = where === 'admin socket' ? stack.adminSocket : stack.workloadSocket;
    const options = where.startsWith('port') ? { port: stack.port, host: '127.0.0.1' } : { path };
    await Promise.all(garbage.map((bytes) => throwAt(options, bytes, where === 'port after TLS')));
    expect(JSON.parse(await stack.cli(['agent', 'count', '-o', 'json']))).toBeDefined();
    expect((await stack.try(web())).code).toBe(0);
  });

  it('a server that never answers does not hold a command that is interrupted', async () => {
    const path = join(stack.dir, 'mute.sock');
    const mute = createServer(() => {});
    await new Promise<void>((done) => mute.listen(path, done));
    const command = stack.spawn('list', ['entry', 'list', '--socket', path]);
    await new Promise((done) => mute.once('connection', done));
    expect(await command.stop('SIGINT')).toBe(1);
    expect(command.output.trim()).toBe('error: interrupted');
    mute.close();
  });
});

describe('output that nobody takes', () => {
  it('a server whose log pipe breaks goes on', async () => {
    const log = stack.server.child.stderr;
    await new Promise((done) => log?.once('close', done).destroy());
    const missing = ['entry', 'show', 'none', '--socket', stack.adminSocket];
    // Each refusal is a line in the log.
    for (let count = 0; count < 3; count++) expect((await stack.try(missing)).output).toMatch(/not found \(NotFound\)/);
    expect(stack.server.running).toBe(true);
  });

  it('a command that cannot write its answer fails', async () => {
    const full = await open('/dev/full', 'w');
    const list = spawn(process.execPath, [steeple, 'entry', 'list', '--socket', stack.adminSocket], {
      stdio: ['ignore', full.fd, 'pipe'],
    });
    let said = '';
    list.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const code = await new Promise((done) => list.once('close', done));
    await full.close();
    expect(code).toBe(1);
    expect(said).toMatch(/error: the output cannot be written: ENOSPC/);
    expectNoStack(said);
  });
});

describe('kill -9', () => {
  it('of the agent: it comes back as itself over the socket that was left, without a token', async () => {
    const { agentId } = stack;
    await stack.agent.stop('SIGKILL');
    expect(existsSync(stack.workloadSocket)).toBe(true);
    expect((await stack.try(web())).output).toMatch(/nobody answers at .*steeple agent run/s);
    await stack.startAgent();
    expect(await stack.agentList()).toContain(agentId);
    expect((await stack.try(web())).output).toContain('spiffe://example.org/web');
  });

  it('of the server: it comes back with everything, and the agent finds it', async () => {
    await stack.server.stop('SIGKILL');
    expect(await readdir(join(stack.dir, 'server'))).toContain('api.sock');
    await stack.startServer();
    expect(await listed()).toBe(before);
    expect((await stack.try(web())).code).toBe(0);
  });
});
