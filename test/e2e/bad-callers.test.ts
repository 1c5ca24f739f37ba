// What reaches a running server and agent from outside: requests that are wrong, bytes that are no requests, and kill -9.
// Nothing of it ends them, and nothing stored is lost.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect, createServer, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { agentV1, entryV1, svidV1 } from '@steeple/proto/server-api';
import { generateKey, localSigner, makeCsr, parseCertificate, toPem } from '@steeple/spiffe';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../stack/stack.ts';
import { expectNoStack, refusal } from './refusal.ts';

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
  const chain = svid.map((text) => Buffer.from(text, 'base64'));
  const leaf = parseCertificate(chain[0] ?? new Uint8Array());
  const { keys } = (await read('keys.json')) as { keys: Record<string, string> };
  const key = Object.values(keys)
    .map((text) => createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' }))
    .find((key) => createPublicKey(key).equals(leaf.publicKey));
  const pem = Buffer.from(key?.export({ format: 'pem', type: 'pkcs8' }) ?? '');
  const certificates = Buffer.from(chain.map((der) => toPem('CERTIFICATE', der)).join(''));
  return { address, credentials: credentials.createSsl(root, pem, certificates, check) };
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
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const frame = (length: number, type: number, stream: number, body: Buffer = Buffer.alloc(0)) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(length, 0, 3);
    head[3] = type;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, body]);
  };
  const garbage: readonly Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    Buffer.alloc(100_000, 0xff),
    preface.subarray(0, 10),
    Buffer.concat([preface, Buffer.alloc(5000, 7)]),
    Buffer.concat([preface, frame(0xffffff, 4, 0)]),
    Buffer.concat([preface, frame(0, 4, 0), frame(6, 1, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))]),
    Buffer.concat([preface, frame(0, 4, 0), frame(4, 0, 7, Buffer.from('none'))]),
    Buffer.concat([preface, ...Array.from({ length: 2000 }, () => frame(0, 4, 0))]),
  ];
  const throwAt = (options: NetConnectOpts, bytes: Buffer, tls = false) =>
    new Promise<void>((resolve) => {
      const socket = tls
        ? tlsConnect({ ...options, rejectUnauthorized: false, ALPNProtocols: ['h2'] } as object)
        : connect(options);
      socket.once('close', () => resolve());
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes);
      setTimeout(() => socket.destroy(), 150);
    });

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
