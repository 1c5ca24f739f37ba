import type { FederationRelationship } from '@steeple/core';
import { noMetrics } from '@steeple/daemon/metrics';
import type { FederationStore } from '@steeple/plugins';
import { BundleSet, type TrustBundle } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, publishing, TestEndpoint } from '../../testing/endpoint.ts';
import { BundleFollowing } from './bundle-following.ts';
import type { FollowedRelationship } from './bundle-updater.ts';

let b: TestTrustDomain;
let site: TestEndpoint;
let clock: FakeClock;
let stored: BundleSet;
let writes: TrustBundle[];
let relationships: FederationRelationship[];
let following: BundleFollowing;
let logger: MemoryLogger;
let end: AbortController;
let running: Promise<unknown>;

const start = async (configured: readonly FollowedRelationship[] = []): Promise<void> => {
  end = new AbortController();
  following = new BundleFollowing({
    store: {
      list: async () => ({ items: relationships, nextToken: '' }),
    } as Partial<FederationStore> as FederationStore,
    configured,
    bundles: {
      bundleFor: (name) => stored.get(name),
      async takeFetched(bundle) {
        const isNew = stored.get(bundle.trustDomain)?.equals(bundle) !== true;
        if (isNew) {
          writes.push(bundle);
          stored.set(bundle);
        }
        return isNew;
      },
    },
    trust: { bundles: { bundleFor: (name) => stored.get(name) }, webRoots: () => [], now: () => clock.now() },
    random01: () => 0,
    metrics: noMetrics,
    clock,
    logger,
  });
  running = following.run(end.signal).catch(() => {});
  await rest();
};

const relationship = (more: Partial<FederationRelationship> = {}): FederationRelationship => ({
  trustDomain: b.trustDomain,
  bundleEndpointUrl: site.url(),
  profile: { kind: 'https_spiffe', endpointSpiffeId: b.id('/ep') },
  ...more,
});

/** Everything waits: the look at the relationships, and each updater. */
const rest = (updaters = relationships.length): Promise<void> => clock.settled(1 + updaters);

/** Lets time pass second by second, so that fetches over real sockets end meanwhile. */
const pass = async (seconds: number): Promise<void> => {
  for (let left = seconds; left > 0; left -= 10) {
    await clock.advance(Math.min(10, left));
    await rest();
  }
};

beforeEach(async () => {
  clock = new FakeClock(Date.now() / 1000);
  b = await TestTrustDomain.create('b.test', { now: clock.now });
  site = await TestEndpoint.open(
    await b.x509Svid('/ep', { ttl: 10 ** 6 }),
    publishing(() => b.bundle),
  );
  stored = BundleSet.of(b.bundle.with({ witAuthorities: [] }));
  writes = [];
  relationships = [relationship()];
  logger = new MemoryLogger();
});

afterEach(async () => {
  end.abort();
  await running;
  await site[Symbol.asyncDispose]();
});

describe('following a bundle', () => {
  it('asks at once and then every five minutes when there is no hint, and stores only what is new', async () => {
    await start();
    expect(site.requests).toHaveLength(1);
    await pass(290);
    expect(site.requests).toHaveLength(1);
    await pass(10);
    expect(site.requests).toHaveLength(2);
    expect(writes).toEqual([]);
    await b.rotate();
    await pass(300);
    expect([site.requests.length, writes.length]).toEqual([3, 1]);
  });

  it('goes at the pace of the hint', async () => {
    site.answer = publishing(() => b.bundle.with({ refreshHint: 60 }));
    await start();
    await pass(180);
    expect(site.requests).toHaveLength(4);
  });

  it('keeps the last good bundle over failures, with growing pauses, and recovers by itself', async () => {
    await start();
    site.answer = answering('oops', 500);
    await pass(300);
    expect(site.requests).toHaveLength(2);
    await pass(60 + 120);
    expect(site.requests).toHaveLength(4);
    expect(stored.get(b.trustDomain)?.x509Authorities).toHaveLength(1);
    expect(logger.records.filter(({ level }) => level === 'error')).toHaveLength(3);
    await b.rotate();
    site.answer = publishing(() => b.bundle);
    await pass(240);
    expect(stored.get(b.trustDomain)?.x509Authorities).toHaveLength(2);
  });

  it('authenticates with the latest bundle, through rotations, and not with the first one', async () => {
    await start();
    for (let round = 0; round < 2; round += 1) {
      await b.rotate();
      await following.refresh(b.trustDomain);
      b.revokeOld();
      site.present(await b.x509Svid('/ep', { ttl: 10 ** 6 }));
      await following.refresh(b.trustDomain);
    }
    expect(stored.get(b.trustDomain)?.x509Authorities).toHaveLength(1);
    const first = await TestTrustDomain.create('b.test', { now: clock.now });
    site.present(await first.x509Svid('/ep'));
    await expect(following.refresh(b.trustDomain)).rejects.toThrow(/failed to refresh bundle/);
  });

  it('takes an empty bundle for what it says: nothing is trusted any more', async () => {
    await start();
    site.answer = answering('{"keys":[]}');
    await following.refresh(b.trustDomain);
    expect(stored.get(b.trustDomain)?.isEmpty).toBe(true);
  });
});

describe('relationships', () => {
  it('that come are followed, and those that go are left alone', async () => {
    relationships = [];
    await start();
    expect(site.requests).toEqual([]);
    relationships = [relationship()];
    await following.look();
    await rest();
    expect(site.requests).toHaveLength(1);
    relationships = [];
    await following.look();
    await clock.advance(3600);
    expect(site.requests).toHaveLength(1);
    await expect(following.refresh(b.trustDomain)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('that end while an answer is under way store nothing any more', async () => {
    await b.rotate();
    const asked = Promise.withResolvers<() => void>();
    site.answer = (request, response) => asked.resolve(() => publishing(() => b.bundle)(request, response));
    void start();
    const answer = await asked.promise;
    relationships = [];
    await following.look();
    answer();
    await clock.advance(20);
    expect(writes).toEqual([]);
  });

  it('that change are followed anew', async () => {
    await start();
    await using other = await TestEndpoint.open(
      await b.x509Svid('/ep'),
      publishing(() => b.bundle),
    );
    relationships = [relationship({ bundleEndpointUrl: other.url() })];
    await pass(10);
    expect([site.requests.length, other.requests.length]).toEqual([1, 1]);
  });

  it('of the configuration win over stored ones', async () => {
    await using other = await TestEndpoint.open(
      await b.x509Svid('/ep'),
      publishing(() => b.bundle),
    );
    await start([relationship({ bundleEndpointUrl: other.url() })]);
    expect([site.requests.length, other.requests.length]).toEqual([0, 1]);
  });
});

describe('the first bundle', () => {
  it('ends the waiting as soon as somebody sets it', async () => {
    stored = new BundleSet();
    await start();
    await expect(following.refresh(b.trustDomain)).rejects.toThrow('local copy of bundle not found');
    expect(site.requests).toEqual([]);
    stored.set(b.bundle.with({ witAuthorities: [] }));
    following.bundleChanged('b.test');
    while (site.requests.length === 0) await new Promise((done) => setTimeout(done, 5));
    await rest();
    expect(site.requests).toHaveLength(1);
  });
});
