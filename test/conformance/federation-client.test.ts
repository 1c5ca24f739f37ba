// The server as a reader of other trust domains' bundle endpoints, its clock in our hands.
import { noMetrics } from '@steeple/daemon/metrics';
import type { FederationStore } from '@steeple/plugins';
import { BundleSet } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { BundleFollowing } from '../../server/src/app/federation/bundle-following.ts';
import { publishing, TestEndpoint } from '../../server/src/testing/endpoint.ts';

it('[TDB-19] asks again after five minutes when the bundle has no hint', async () => {
  const clock = new FakeClock(Date.now() / 1000);
  const b = await TestTrustDomain.create('b.test', { now: clock.now });
  const known = BundleSet.of(b.bundle);
  expect(b.bundle.refreshHint).toBe(0);
  await using site = await TestEndpoint.open(
    await b.x509Svid('/endpoint', { ttl: 7200 }),
    publishing(() => b.bundle),
  );
  const relationship = {
    trustDomain: b.trustDomain,
    bundleEndpointUrl: site.url(),
    profile: { kind: 'https_spiffe', endpointSpiffeId: b.id('/endpoint') },
  } as const;
  const following = new BundleFollowing({
    store: {
      list: async () => ({ items: [relationship], nextToken: '' }),
    } as Partial<FederationStore> as FederationStore,
    configured: [],
    bundles: { bundleFor: (name) => known.get(name), takeFetched: async (bundle) => (known.set(bundle), false) },
    trust: { bundles: known, webRoots: () => [], now: clock.now },
    random01: () => 0,
    metrics: noMetrics,
    clock,
    logger: new MemoryLogger(),
  });
  const end = new AbortController();
  const running = following.run(end.signal).catch(() => {});
  // One sleeper looks at the relationships, the other is the pause between two fetches.
  await clock.settled(2);
  const asked: number[] = [];
  for (let second = 0; second <= 610; second += 10) {
    if (site.requests.length > asked.length) asked.push(second);
    await clock.advance(10);
    await clock.settled(2);
  }
  expect(asked).toEqual([0, 300, 600]);
  end.abort();
  await running;
});
