import { type WatchEvent, WorkloadApiClient } from '@steeple/client';
import { FakeWorkloadApi, jwtResponse, x509Response } from '@steeple/client/testing';
import { Code } from '@steeple/proto/grpc';
import { expect, it, vi } from 'vitest';
import { clientWorld, failureOf, nextEvent } from './client-world.ts';

const world = clientWorld();
const limit = { timeout: 10 };

async function issueAll(): Promise<void> {
  const { a, api } = world;
  const token = await a.jwtSvid('/x', ['y']);
  api.issue({ svids: [await a.x509Svid('/x')], bundles: [a.bundle], wits: [await a.witSvid('/x')] });
  api.answerJwt = async () => jwtResponse([token]);
  api.answerValidate = async () => ({ spiffeId: 'spiffe://a.test/x', claims: { sub: 'spiffe://a.test/x' } });
}

/** Every stream of the Workload API as a client follows it. */
const STREAMS = {
  FetchX509SVID: (client: WorkloadApiClient) => client.watchX509Context(),
  FetchX509Bundles: (client: WorkloadApiClient) => client.watchX509Bundles(),
  FetchJWTBundles: (client: WorkloadApiClient) => client.watchJwtBundles(),
  FetchWITSVID: (client: WorkloadApiClient) => client.watchWitSvids(),
  FetchWITBundles: (client: WorkloadApiClient) => client.watchWitBundles(),
} as const;
type StreamMethod = keyof typeof STREAMS;
const methods = Object.keys(STREAMS) as StreamMethod[];
const follow = (method: StreamMethod) =>
  STREAMS[method](world.client)[Symbol.asyncIterator]() as AsyncIterator<WatchEvent<unknown>>;
const drain = async (events: AsyncIterator<unknown>) => {
  while ((await events.next()).done !== true);
};

it('[WEP-06] [WEP-03] [WEP-23] sends the header with every request over gRPC, again after a loss, and needs no reflection', async () => {
  const { client, api } = world;
  await issueAll();
  await client.fetchX509Context(limit);
  await client.fetchX509Bundles(limit);
  await client.fetchJwtSvids({ audience: ['y'] }, limit);
  await client.fetchJwtBundles(limit);
  await client.validateJwtSvid('t', 'y', limit);
  await client.fetchWitSvids(undefined, limit);
  await client.fetchWitBundles(limit);
  expect(new Set(api.calls.map(({ method }) => method)).size).toBe(7);
  const events = follow('FetchX509SVID');
  await nextEvent(events, 'update');
  api.interruptAll(Code.UNAVAILABLE, 'lost');
  await nextEvent(events, 'error');
  await nextEvent(events, 'update');
  expect(api.calls.length).toBe(9);
  for (const { metadata } of api.calls) expect(metadata['workload.spiffe.io']).toEqual(['true']);
});

it.each(methods)('[WEP-17] does not retry %s after InvalidArgument', async (method) => {
  world.api.failAll(Code.INVALID_ARGUMENT, 'wrong');
  expect(await failureOf(drain(follow(method)))).toMatchObject({ code: Code.INVALID_ARGUMENT });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(world.api.countOf(method)).toBe(1);
});

it.each(methods)('[WEP-24] [WAPI-52] stops asking for %s after Unimplemented', async (method) => {
  world.api.failAll(Code.UNIMPLEMENTED, 'no');
  expect(await failureOf(drain(follow(method)))).toMatchObject({ code: Code.UNIMPLEMENTED });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(world.api.countOf(method)).toBe(1);
});

it('[WEP-18] waits for an agent that is not there yet', async () => {
  await issueAll();
  await world.api.crash();
  const events = follow('FetchX509SVID');
  expect(await nextEvent(events, 'error')).toMatchObject({ error: { code: Code.UNAVAILABLE } });
  await world.api.listen();
  await nextEvent(events, 'update');
});

it.each(methods)(
  '[WEP-19] [WAPI-26] [WAPI-30] [WAPI-44] [WAPI-58] [WAPI-63] asks for %s again, with backoff, after PermissionDenied',
  async (method) => {
    const pauses: number[] = [];
    const rim = {
      now: () => Date.now() / 1000,
      monotonic: () => performance.now() / 1000,
      random: () => 0.5,
      sleep: async (seconds: number) => {
        pauses.push(seconds);
      },
    };
    await using client = new WorkloadApiClient({ address: world.api.address, rim });
    const events = STREAMS[method](client)[Symbol.asyncIterator]() as AsyncIterator<WatchEvent<unknown>>;
    world.api.withdraw();
    for (let time = 0; time < 5; time++) {
      expect(await nextEvent(events, 'withdrawn')).toMatchObject({ error: { code: Code.PERMISSION_DENIED } });
    }
    expect(pauses).toHaveLength(3);
    expect(pauses).toEqual([...pauses].sort((first, second) => first - second));
    expect(pauses[2]).toBeGreaterThan(pauses[0] ?? Infinity);
    await issueAll();
    await nextEvent(events, 'update');
  },
);

it('[WAPI-06] keeps an idle stream open for half an hour', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
  try {
    await using api = await FakeWorkloadApi.start();
    await using client = new WorkloadApiClient({ address: api.address });
    api.issue({ svids: [await world.a.x509Svid('/x')], bundles: [world.a.bundle] });
    const events = client.watchX509Context()[Symbol.asyncIterator]();
    await nextEvent(events, 'update');
    await vi.advanceTimersByTimeAsync(30 * 60 * 1000);
    expect([api.countOf('FetchX509SVID'), api.x509.followers]).toEqual([1, 1]);
    await events.return?.();
  } finally {
    vi.useRealTimers();
  }
});

it('[WAPI-07] opens the stream again at once when it ends, and backs off only when it goes on ending', async () => {
  const { api } = world;
  await issueAll();
  const events = follow('FetchX509SVID');
  await nextEvent(events, 'update');
  api.interruptAll(Code.UNAVAILABLE, 'restart');
  await nextEvent(events, 'error');
  await nextEvent(events, 'update');
  await api.crash();
  await api.listen();
  await nextEvent(events, 'error');
  await nextEvent(events, 'update');
  const message = x509Response([await world.a.x509Svid('/x')], [world.a.bundle]);
  api.x509.follow = async function* () {
    yield message;
  };
  api.interruptAll(Code.UNAVAILABLE, 'from now on every stream ends well after one message');
  const before = api.countOf('FetchX509SVID');
  for (let time = 0; time < 3; time++) await nextEvent(events, 'update');
  expect(api.countOf('FetchX509SVID')).toBeGreaterThanOrEqual(before + 2);
});
