import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { entryOf, stocked, turn } from '../testing/fixtures.ts';
import { BundleReport } from './bundle-report.ts';
import { CurrentSvid } from './current-svid.ts';
import { IdentityCache } from './identity-cache.ts';

let clock: FakeClock;
let domain: TestTrustDomain;
let cache: IdentityCache;
let current: CurrentSvid;
let renewals: number;
let told: bigint[];
let failing: boolean;
let abort: AbortController;

beforeEach(async () => {
  clock = new FakeClock();
  domain = await TestTrustDomain.create('a.test', { now: clock.now });
  cache = new IdentityCache(domain.trustDomain, clock.now);
  [current, renewals, told, failing, abort] = [new CurrentSvid(), 0, [], false, new AbortController()];
  current.set(await domain.x509Svid('/spire/agent/x'));
  cache.apply({ bundles: [domain.bundle] });
  cache.markSynced();
  const report = new BundleReport({
    cache,
    current,
    identity: { renewNow: () => renewals++ },
    server: {
      postStatus: async (version, _signal, sequence = 0n) => {
        if (failing) throw new Error(`no answer for ${version}`);
        told.push(sequence);
      },
    },
    version: '1',
    clock,
    logger: new MemoryLogger(),
  });
  void report.run(abort.signal);
  await settle();
});
afterEach(() => abort.abort());

const settle = async () => {
  for (let i = 0; i < 20; i++) await turn();
};
/** The bundle after a rotation, with the old root marked. */
const tainted = (sequence: bigint) =>
  domain.bundle.with({
    sequence,
    x509Authorities: domain.bundle.x509Authorities.map((root, index) => ({ ...root, tainted: index === 1 })),
  });

it('tells each bundle once', async () => {
  expect(told).toEqual([1n]);
  cache.apply({ bundles: [domain.bundle.with({ sequence: 2n })] });
  cache.apply({});
  await settle();
  expect(told).toEqual([1n, 2n]);
});

it('renews its own SVID at once, and tells only when nothing here is compromised any more', async () => {
  const entry = entryOf(domain, 'a');
  cache.apply({ entries: [entry], svids: [await stocked(domain, entry)] });
  await domain.rotate();
  cache.apply({ bundles: [tainted(5n)] });
  await settle();
  expect([renewals, told]).toEqual([1, [1n]]);
  current.set(await domain.x509Svid('/spire/agent/x'));
  await settle();
  expect([renewals, told]).toEqual([1, [1n]]);
  cache.apply({ svids: [await stocked(domain, entry)] });
  await settle();
  expect([renewals, told]).toEqual([1, [1n, 5n]]);
});

it('tries again what the server did not hear', async () => {
  failing = true;
  cache.apply({ bundles: [domain.bundle.with({ sequence: 2n })] });
  await settle();
  failing = false;
  await clock.advance(5);
  await settle();
  expect(told).toEqual([1n, 2n]);
});
