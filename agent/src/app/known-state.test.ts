import { readFile } from 'node:fs/promises';
import { FakeClock, MemoryLogger, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { entryOf } from '../testing/fixtures.ts';
import { IdentityCache } from './identity-cache.ts';
import { KnownState } from './known-state.ts';

const domain = await TestTrustDomain.create('a.test');

it('rests after a long time of writing, and at its end writes what it has not written', async () => {
  await using dir = await tempDir();
  const clock = new FakeClock();
  const cache = new IdentityCache(domain.trustDomain, clock.now);
  cache.apply({ bundles: [domain.bundle] });
  cache.markSynced();
  let saves = 0;
  const saved: (() => void)[] = [];
  const storage = {
    saveBundle: async () => {
      saves += 1;
      // Of the FakeClock's time, so that it is known how long it took.
      if (saves === 1) void clock.advance(0.1);
      for (const wake of saved.splice(0)) wake();
    },
  };
  const state = new KnownState({
    dataDir: dir.path,
    cache,
    storage: storage as never,
    clock,
    logger: new MemoryLogger(),
  });
  const stop = new AbortController();
  const first = new Promise<void>((wake) => saved.push(wake));
  const done = state.run(stop.signal);
  const add = (id: string): void => {
    cache.apply({ entries: [entryOf(domain, id)] });
    state.changed();
  };
  add('one');
  await first;
  await clock.settled();
  add('two');
  expect(clock.untilNext).toBeCloseTo(2, 5);
  expect(saves).toBe(1);
  stop.abort();
  await done;
  expect(saves).toBe(2);
  const { entries } = JSON.parse(await readFile(dir.join('agent-cache.json'), 'utf8')) as { entries: { id: string }[] };
  expect(entries.map(({ id }) => id)).toEqual(['one', 'two']);
});

it('writes many entries in portions, and takes them up again as they were', async () => {
  await using dir = await tempDir();
  const clock = new FakeClock();
  const parts = {
    dataDir: dir.path,
    storage: { saveBundle: async () => {} } as never,
    clock,
    logger: new MemoryLogger(),
  };
  const cache = new IdentityCache(domain.trustDomain, clock.now);
  const entries = Array.from({ length: 450 }, (_, at) => entryOf(domain, `e${at}`, { hint: `"${at}\n`, revision: at }));
  cache.apply({ bundles: [domain.bundle], entries });
  cache.markSynced();
  const stopped = AbortSignal.abort();
  await new KnownState({ ...parts, cache }).run(stopped);
  const restored = new IdentityCache(domain.trustDomain, clock.now);
  await new KnownState({ ...parts, cache: restored }).restore();
  expect([...restored.entries.values()]).toEqual(entries);
  expect(restored.ownBundle.x509Authorities).toHaveLength(domain.bundle.x509Authorities.length);
});
