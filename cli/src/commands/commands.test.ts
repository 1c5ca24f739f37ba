// Commands against a scripted server on a real socket: what is sent, what is printed, how it ends.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { Code, GrpcError, serviceImplementation } from '@steeple/proto/grpc';
import { agentV1, entryV1 } from '@steeple/proto/server-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../main.ts';
import type { CliContext } from '../verb.ts';

let dir: string;
let socket: string;
let server: grpc.Server;
let out: string[];
let err: string[];

const id = { trustDomain: 'example.org', path: '/web' };
const parentId = { trustDomain: 'example.org', path: '/spire/agent/join_token/x' };
const stored = { id: 'e1', spiffeId: id, parentId, selectors: [{ type: 'unix', value: 'uid:7' }], x509SvidTtl: 90 };

function context(): CliContext {
  return {
    env: {},
    signal: new AbortController().signal,
    colour: false,
    uid: 7,
    userName: 'someone',
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    now: () => 1_000_000,
  };
}

const steeple = (...args: string[]): Promise<number> => main([...args, '--socket', socket], context());

async function serve(entry: object, agent: object = {}): Promise<void> {
  server = new grpc.Server();
  for (const [service, handlers] of [
    [entryV1.Entry, entry],
    [agentV1.Agent, agent],
  ] as const) {
    const { definition, implementation } = serviceImplementation(service as never, handlers as never);
    server.addService(definition, implementation);
  }
  await new Promise<void>((done, failed) =>
    server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? done() : failed(error),
    ),
  );
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'st-'));
  socket = join(dir, 's.sock');
  out = [];
  err = [];
});

afterEach(async () => {
  server?.forceShutdown();
  await rm(dir, { recursive: true, force: true });
});

describe('entry create', () => {
  const create = [
    'entry',
    'create',
    '--spiffe-id',
    'spiffe://example.org/web',
    '--selector',
    'unix:uid:7',
    '--x509-svid-ttl',
    '1m30s',
  ];

  it('sends what the flags say and prints the stored entry', async () => {
    let sent: { entries: { selectors: object[]; x509SvidTtl: number; parentId?: { path: string } }[] } | undefined;
    await serve({
      batchCreateEntry: async (request: typeof sent) => {
        sent = request;
        return { results: [{ status: { code: 0, message: 'OK' }, entry: stored }] };
      },
    });
    expect(await steeple(...create, '--parent-id', 'spiffe://example.org/spire/agent/join_token/x')).toBe(0);
    expect(sent?.entries[0]?.x509SvidTtl).toBe(90);
    expect(sent?.entries[0]?.parentId?.path).toBe(parentId.path);
    expect(out.join('\n')).toContain('e1');
  });

  it('fails when the item is refused, although the call succeeded', async () => {
    await serve({
      batchCreateEntry: async () => ({
        results: [{ status: { code: 6, message: 'similar entry already exists' }, entry: stored }],
      }),
    });
    expect(await steeple(...create, '--parent-id', 'spiffe://example.org/p')).toBe(1);
    expect(err.join('\n')).toContain('similar entry already exists');
  });

  it('takes the only agent as parent', async () => {
    let parent: string | undefined;
    await serve(
      {
        batchCreateEntry: async (request: { entries: { parentId: { path: string } }[] }) => {
          parent = request.entries[0]?.parentId.path;
          return { results: [{ status: { code: 0, message: 'OK' }, entry: stored }] };
        },
      },
      { listAgents: async () => ({ agents: [{ id: parentId }] }) },
    );
    expect(await steeple(...create)).toBe(0);
    expect(parent).toBe(parentId.path);
  });

  it('asks for the parent when there are several agents, and names the next command', async () => {
    await serve({}, { listAgents: async () => ({ agents: [{ id: parentId }, { id }] }) });
    expect(await steeple(...create)).toBe(1);
    expect(err.join('\n')).toContain('steeple agent list');
  });

  it.each([
    [['--spiffe-id', 'http://example.org/web', '--selector', 'unix:uid:7'], '--spiffe-id'],
    [['--spiffe-id', 'spiffe://example.org/web', '--selector', 'uid7'], 'type:value'],
    [
      ['--spiffe-id', 'spiffe://example.org/web', '--selector', 'unix:uid:7', '--x509-svid-ttl', 'soon'],
      '--x509-svid-ttl',
    ],
  ])('names the bad flag of %j', async (flags, named) => {
    await serve({});
    expect(await steeple('entry', 'create', ...flags)).toBe(1);
    expect(err.join('\n')).toContain(named);
  });
});

describe('entry list', () => {
  it('reads every page', async () => {
    await serve({
      listEntries: async ({ pageToken }: { pageToken: string }) =>
        pageToken === ''
          ? { entries: [stored], nextPageToken: 'n' }
          : { entries: [{ ...stored, id: 'e2' }], nextPageToken: '' },
    });
    expect(await steeple('entry', 'list')).toBe(0);
    expect(out.join('\n')).toMatch(/e1 .*\ne2 /);
  });

  it('prints protojson with proto names', async () => {
    await serve({ listEntries: async () => ({ entries: [stored], nextPageToken: '' }) });
    expect(await steeple('entry', 'list', '-o', 'json')).toBe(0);
    expect(JSON.parse(out.join(''))).toMatchObject({
      entries: [{ id: 'e1', spiffe_id: { trust_domain: 'example.org' }, revision_number: '0' }],
    });
  });
});

describe('failures', () => {
  it('says what to do when there is no socket', async () => {
    expect(await steeple('entry', 'list')).toBe(1);
    expect(err.join('\n')).toContain('steeple server run');
  });

  it('tells the text and the status of a refused call', async () => {
    await serve({
      getEntry: async () => {
        throw GrpcError.of(Code.NOT_FOUND, 'entry not found');
      },
    });
    expect(await steeple('entry', 'show', 'x')).toBe(1);
    expect(err.join('\n')).toMatch(/^error: entry not found \(NotFound\)\n {2}.*`steeple entry list`/);
  });

  it('says how to find what the server does not know, once for many', async () => {
    const status = { code: Code.NOT_FOUND, message: 'failed to update entry' };
    await serve(
      {
        batchUpdateEntry: async () => ({ results: [{ status }] }),
        batchDeleteEntry: async ({ ids }: { ids: string[] }) => ({ results: ids.map((id) => ({ id, status })) }),
      },
      {
        banAgent: async () => {
          throw GrpcError.of(Code.NOT_FOUND, 'agent not found');
        },
      },
    );
    expect(await steeple('entry', 'update', 'e9', '--hint', 'x')).toBe(1);
    expect(await steeple('entry', 'delete', 'e8', 'e9')).toBe(1);
    expect(await steeple('agent', 'ban', 'spiffe://example.org/spire/agent/x')).toBe(1);
    expect(err.join('\n')).toMatch(/^error: e9: failed to update entry \(NotFound\)\n {2}.*`steeple entry list`/);
    expect(err.join('\n').match(/steeple entry list/g)).toHaveLength(2);
    expect(err.join('\n')).toMatch(/error: agent not found \(NotFound\)\n {2}.*`steeple agent list`.*$/);
  });

  it('suggests the command that was meant', async () => {
    expect(await main(['entry', 'craete'], context())).toBe(1);
    expect(err.join('\n')).toContain('create');
  });
});
