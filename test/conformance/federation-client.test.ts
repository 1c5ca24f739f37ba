// The pace at which the server reads other trust domains' bundle endpoints, its clock in our hands.
import type { RequestListener } from 'node:http';
import { noMetrics } from '@steeple/daemon/metrics';
import type { FederationStore } from '@steeple/plugins';
import { BundleSet } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { BundleFollowing } from '../../server/src/app/federation/bundle-following.ts';
import { answering, publishing, TestEndpoint } from '../../server/src/testing/endpoint.ts';

interface Pace {
  /** The refresh hint of the published bundle. */
  readonly hint: number;
  /** How long we look, seconds. */
  readonly seconds: number;
  /** Instead of the bundle, from the second question on. */
  readonly later?: RequestListener;
}

/** The moments, to ten seconds, at which an endpoint is asked. */
async function questions({ hint, seconds, later }: Pace): Promise<number[]> {
  const clock = new FakeClock(Date.now() / 1000);
  const b = await TestTrustDomain.create('b.test', { now: clock.now });
  const known = BundleSet.of(b.bundle);
  await using site = await TestEndpoint.open(
    await b.x509Svid('/endpoint', { ttl: seconds * 2 }),
    publishing(() => b.bundle.with({ refreshHint: hint })),
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
  site.answer = later ?? site.answer;
  const asked: number[] = [];
  for (let second = 0; second <= seconds; second += 10) {
    if (site.requests.length > asked.length) asked.push(second);
    await clock.advance(10);
    await clock.settled(2);
  }
  end.abort();
  await running;
  return asked;
}

it('[TDB-19] [FED-05] [FED-06] asks again after five minutes when the bundle has no hint', async () => {
  expect(await questions({ hint: 0, seconds: 610 })).toEqual([0, 300, 600]);
});

it('[FED-05] [FED-06] asks at the pace of the hint', async () => {
  expect(await questions({ hint: 60, seconds: 190 })).toEqual([0, 60, 120, 180]);
  expect(await questions({ hint: 900, seconds: 1900 })).toEqual([0, 900, 1800]);
});

it('[FED-50] does not ask more often than once a minute, and after failures ever less often', async () => {
  expect(await questions({ hint: 1, seconds: 130 })).toEqual([0, 60, 120]);
  const later = answering('', 500);
  expect(await questions({ hint: 60, seconds: 190, later })).toEqual([0, 60, 120, 180]);
  expect(await questions({ hint: 300, seconds: 1090, later })).toEqual([0, 300, 360, 480, 720, 1020]);
});
