import { Code, GrpcError } from '@steeple/proto/grpc';
import type { TrustBundle } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, expect, it } from 'vitest';
import { entryOf, turn } from '../testing/fixtures.ts';
import type { AgentEntry } from './agent-entry.ts';
import { IdentityCache } from './identity-cache.ts';
import { Sync } from './sync.ts';

const domain = await TestTrustDomain.create('a.test');
const other = await TestTrustDomain.create('b.test');
let clock: FakeClock;
let cache: IdentityCache;
let entries: AgentEntry[];
let answer: () => Promise<void>;
let federated: TrustBundle | undefined;
let abort: AbortController;
let faults: unknown[];
let own: TrustBundle;

function make(announced = false): Sync {
  return new Sync({
    announced: () => announced,
    cache,
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    interval: 5,
    onServerError: async (error) => void faults.push(error),
    server: {
      authorizedEntries: async () => {
        const seen = new Map(entries.map((entry) => [entry.id, entry]));
        await answer();
        return seen;
      },
      bundle: async () => own,
      federatedBundle: async () => federated,
    },
  });
}

beforeEach(() => {
  clock = new FakeClock();
  cache = new IdentityCache(domain.trustDomain, clock.now);
  entries = [];
  answer = async () => {};
  federated = undefined;
  faults = [];
  own = domain.bundle;
  abort = new AbortController();
  return () => abort.abort();
});

const known = () => [...cache.entries.keys()].sort();

it('makes the cache equal to the answer and marks it synced', async () => {
  cache.apply({ entries: [entryOf(domain, 'gone')] });
  entries = [entryOf(domain, 'a')];
  const sync = make();
  await sync.once(abort.signal);
  expect(known()).toEqual(['a']);
  expect(cache.synced).toBe(true);
  expect(sync.lastSuccess).toBe(clock.now());
});

it('changes nothing for an error at any step (Y1, Y4)', async () => {
  cache.apply({ entries: [entryOf(domain, 'a')] });
  entries = [entryOf(domain, 'b')];
  answer = async () => {
    throw GrpcError.of(Code.UNAVAILABLE, 'away');
  };
  await expect(make().once(abort.signal)).rejects.toThrow('away');
  expect(known()).toEqual(['a']);
  expect(cache.synced).toBe(false);
});

it('does not lock itself out with a bundle without roots (Y3)', async () => {
  const sync = make();
  await sync.once(abort.signal);
  sync.push({
    kind: 'changes',
    entries: [],
    removedEntryIds: [],
    bundles: [domain.bundle.with({ x509Authorities: [] })],
  });
  expect(cache.ownBundle.x509Authorities).toHaveLength(1);
  own = domain.bundle.with({ x509Authorities: [], sequence: 9n });
  await expect(sync.once(abort.signal)).rejects.toThrow('without roots');
  expect(cache.ownBundle.x509Authorities).toHaveLength(1);
});

it('lets what is announced during a question win over its answer (Y2)', async () => {
  const stale = [entryOf(domain, 'kept'), entryOf(domain, 'deleted'), entryOf(domain, 'changed')];
  entries = stale;
  const sync = make();
  await sync.once(abort.signal);
  const release = Promise.withResolvers<void>();
  answer = () => release.promise;
  const asked = sync.once(abort.signal);
  await turn();
  sync.push({
    kind: 'changes',
    entries: [entryOf(domain, 'new'), entryOf(domain, 'changed', { revision: 1 })],
    removedEntryIds: ['deleted'],
    bundles: [domain.bundle.with({ sequence: 7n })],
  });
  release.resolve();
  await asked;
  expect(known()).toEqual(['changed', 'kept', 'new']);
  expect(cache.entries.get('changed')?.revision).toBe(1);
  expect(cache.ownBundle.sequence).toBe(7n);
});

it('fetches federated bundles that entries need, and drops those that none needs', async () => {
  federated = other.bundle;
  entries = [entryOf(domain, 'a', { federatesWith: ['b.test', 'a.test'] })];
  const sync = make();
  await sync.once(abort.signal);
  expect(cache.bundleList()).toHaveLength(2);
  entries = [entryOf(domain, 'a', { revision: 1 })];
  await sync.once(abort.signal);
  expect(cache.bundleList()).toHaveLength(1);
});

it('asks at intervals, backs off from a server that fails, and asks at once when nudged', async () => {
  let asked = 0;
  answer = async () => {
    asked++;
    if (asked > 1) throw GrpcError.of(Code.UNAVAILABLE, 'away');
  };
  const sync = make();
  void sync.run(abort.signal);
  await clock.settled();
  expect(asked).toBe(1);
  await clock.advance(5);
  expect([asked, faults.length]).toEqual([2, 1]);
  expect(clock.untilNext).toBe(5);
  await clock.advance(5);
  expect(clock.untilNext).toBe(7.5);
  sync.nudge();
  await turn();
  expect(asked).toBe(4);
});

it('asks seldom while changes are announced', async () => {
  let asked = 0;
  answer = async () => void asked++;
  void make(true).run(abort.signal);
  await clock.settled();
  expect(clock.untilNext).toBe(60);
  await clock.advance(60);
  expect(asked).toBe(2);
});

it('ends with the error that makes the agent stop', async () => {
  answer = async () => {
    throw GrpcError.of(Code.PERMISSION_DENIED, 'banned');
  };
  const sync = new Sync({
    cache,
    clock,
    random: Math.random,
    logger: new MemoryLogger(),
    interval: 5,
    onServerError: async () => {
      throw new Error('stop');
    },
    server: {
      authorizedEntries: async () => (await answer(), new Map()),
      bundle: async () => domain.bundle,
      federatedBundle: async () => undefined,
    },
  });
  await expect(sync.run(abort.signal)).rejects.toThrow('stop');
});
