import { Code, GrpcError } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, localauthorityV1 } from '@steeple/proto/server-api';
import { syncV1 } from '@steeple/proto/steeple-api';
import type { X509Svid } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { idOf, TestServer } from './testing/test-server.ts';

type Event = syncV1.WatchResponse['event'];

/** An agent's stream, opened up to its first message. */
const watch = async (server: TestServer, agent: X509Svid): Promise<{ next(): Promise<Event> }> => {
  const stream = (await server.remote(syncV1.Sync, agent)).watch({})[Symbol.asyncIterator]();
  const next = async (): Promise<Event> => {
    const { done, value } = await stream.next();
    if (done) throw new Error('the stream has ended');
    return value.event;
  };
  expect((await next()).case).toBe('ready');
  return { next };
};

describe('Sync.Watch', () => {
  it("tells an agent of its own entries and of nobody else's", async () => {
    await using server = await TestServer.start();
    const [mine, other] = [await server.attest(), await server.attest()];
    const stream = await watch(server, mine);
    await server.createEntry(other, '/theirs');
    const id = await server.createEntry(mine, '/mine');
    const created = await stream.next();
    expect(created.case === 'changes' && created.value.entries.map((entry) => entry.id)).toEqual([id]);

    const entries = server.admin(entryV1.Entry);
    await entries.batchUpdateEntry({ entries: [{ id, hint: 'new' }], inputMask: { hint: true } });
    const updated = await stream.next();
    expect(updated.case === 'changes' && updated.value.entries[0]).toMatchObject({
      id,
      hint: 'new',
      revisionNumber: 1n,
    });
    await entries.batchUpdateEntry({ entries: [{ id, parentId: idOf(other.id.path) }], inputMask: { parentId: true } });
    const moved = await stream.next();
    expect(moved.case === 'changes' && moved.value).toMatchObject({ entries: [], removedEntryIds: [id] });
  });

  it('asks for a resync when a node alias changes what an agent sees', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    const stream = await watch(server, agent);
    const parent = await server.createEntry(agent, '/group');
    expect((await stream.next()).case).toBe('changes');
    const below = { parentId: idOf('/group'), spiffeId: idOf('/below'), selectors: [{ type: 'a', value: 'b' }] };
    await server.admin(entryV1.Entry).batchCreateEntry({ entries: [below] });
    expect((await stream.next()).case).toBe('changes');
    await server.admin(entryV1.Entry).batchDeleteEntry({ ids: [parent] });
    expect((await stream.next()).case).toBe('resync');
  });

  it('tells of a new authority', async () => {
    await using server = await TestServer.start();
    const stream = await watch(server, await server.attest());
    await server.admin(localauthorityV1.LocalAuthority).prepareX509Authority({});
    const event = await stream.next();
    const bundle = await server.admin(bundleV1.Bundle).getBundle({});
    expect(event.case === 'changes' && event.value.bundles).toEqual([bundle]);
    expect(bundle.x509Authorities).toHaveLength(2);
  });

  it('keeps little for an agent that does not read, and nobody else waits for it', async () => {
    await using server = await TestServer.start();
    const [slow, quick] = [await server.attest(), await server.attest()];
    const [asleep, awake] = [await watch(server, slow), await watch(server, quick)];
    const COUNT = 6000;
    for (let from = 0; from < COUNT; from += 200) {
      const entries = Array.from({ length: 200 }, (_, index) => ({
        parentId: idOf(slow.id.path),
        spiffeId: idOf(`/slow/${from + index}`),
        selectors: [{ type: 'unix', value: `path:/usr/local/lib/${'long/'.repeat(40)}${from + index}` }],
      }));
      await server.admin(entryV1.Entry).batchCreateEntry({ entries });
    }
    const id = await server.createEntry(quick, '/quick');
    const arrived = await awake.next();
    expect(arrived.case === 'changes' && arrived.value.entries.map((entry) => entry.id)).toEqual([id]);
    // What the connection holds comes first, then the word that the rest is to be asked for.
    let told = 0;
    let event = await asleep.next();
    for (; event.case === 'changes'; event = await asleep.next()) told += event.value.entries.length;
    expect(event.case).toBe('resync');
    expect(told).toBeLessThan(COUNT / 2);
  });

  it('lets an agent hold a few streams and no more', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    for (let held = 0; held < 16; held += 1) await watch(server, agent);
    await expect(watch(server, agent)).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  });

  it('ends when the agent is banned, and when the server stops', async () => {
    await using server = await TestServer.start();
    const [bad, good] = [await server.attest(), await server.attest()];
    const [banned, drained] = [await watch(server, bad), await watch(server, good)];
    await server.admin(agentV1.Agent).banAgent({ id: idOf(bad.id.path) });
    await expect(banned.next()).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    const end = drained.next().catch((error: unknown) => error);
    await server.running.stop();
    expect(((await end) as GrpcError).code).toBe(Code.UNAVAILABLE);
  });
});

describe('SyncAuthorizedEntries', () => {
  const COUNT = 1203;

  it('sends few entries whole', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    const id = await server.createEntry(agent, '/one');
    const stream = (await server.remote(entryV1.Entry, agent)).syncAuthorizedEntries(
      messages({ outputMask: { revisionNumber: true } }),
    );
    const answers = await collect(stream);
    const [entry, ...more] = answers.flatMap(({ entries }) => entries);
    expect([entry?.id, entry?.spiffeId, more]).toEqual([id, undefined, []]);
  });

  it('sends revisions of many, then what is asked for', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    const entries = Array.from({ length: COUNT }, (_, index) => ({
      parentId: idOf(agent.id.path),
      spiffeId: idOf(`/w/${index}`),
      selectors: [{ type: 'unix', value: `uid:${index}` }],
    }));
    await server.admin(entryV1.Entry).batchCreateEntry({ entries });

    const asked = Promise.withResolvers<string[]>();
    async function* conversation(): AsyncGenerator<Partial<Record<'ids', string[]>>> {
      yield {};
      yield { ids: [...(await asked.promise), 'unknown'] };
    }
    const ids: string[] = [];
    const pages: number[] = [];
    const whole: string[] = [];
    for await (const answer of (await server.remote(entryV1.Entry, agent)).syncAuthorizedEntries(conversation())) {
      ids.push(...answer.entryRevisions.map((revision) => revision.id));
      if (answer.entryRevisions.length > 0) pages.push(answer.entryRevisions.length);
      if (ids.length === COUNT && !answer.more) asked.resolve(ids.slice(0, 501));
      whole.push(...answer.entries.map((entry) => entry.id));
    }
    expect(pages).toEqual([500, 500, 203]);
    expect(new Set(ids).size).toBe(COUNT);
    expect(whole).toEqual(ids.slice(0, 501));
  });

  it.each([
    [{ ids: ['x'] }, 'specifying IDs on initial request is not supported'],
    [{ outputMask: { spiffeId: true } }, 'revision number cannot be masked'],
  ])('refuses a first message %j', async (first, message) => {
    await using server = await TestServer.start();
    const stream = (await server.remote(entryV1.Entry, await server.attest())).syncAuthorizedEntries(messages(first));
    await expect(collect(stream)).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT, message });
  });
});

async function* messages<T>(...all: T[]): AsyncGenerator<T> {
  yield* all;
}

const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
};
