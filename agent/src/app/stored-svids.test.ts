import { readFile, stat, writeFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import type { StorableSvid, SvidStore } from '@steeple/plugins';
import { FakeClock, MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { entryOf, stocked } from '../testing/fixtures.ts';
import { IdentityCache } from './identity-cache.ts';
import { StoredSvids } from './stored-svids.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });

class FakeStore implements SvidStore {
  readonly places = new Map<string, StorableSvid>();
  readonly calls: string[] = [];
  failure: Error | undefined;

  async put(storable: StorableSvid, metadata: readonly string[]): Promise<void> {
    this.calls.push(`put ${metadata.join()}`);
    if (this.failure !== undefined) throw this.failure;
    if (metadata[0] === 'bad') throw new IssuerError('invalid-argument', 'names no place');
    this.places.set(metadata.join(), storable);
  }

  async remove(metadata: readonly string[]): Promise<void> {
    this.calls.push(`remove ${metadata.join()}`);
    if (this.failure !== undefined) throw this.failure;
    this.places.delete(metadata.join());
  }
}

let dir: TempDir;
let store: FakeStore;
let log: MemoryLogger;

beforeEach(async () => {
  dir = await tempDir();
  store = new FakeStore();
  log = new MemoryLogger();
  return () => dir[Symbol.asyncDispose]();
});

/** A run of the agent: an empty cache that has heard from the server, and what brings SVIDs to the store. */
function start(synced = true) {
  const cache = new IdentityCache(domain.trustDomain, clock.now, { maxSize: 1, stores: new Set(['fake']) });
  cache.apply({ bundles: [domain.bundle] });
  if (synced) cache.markSynced();
  const parts = { cache, dataDir: dir.path, clock, random: () => 0.5, logger: log };
  return { cache, stored: new StoredSvids({ ...parts, stores: new Map([['fake', store]]) }) };
}

const storedEntry = (id: string, place = id, revision = 0) =>
  entryOf(domain, id, { storeSvid: true, selectors: [`fake:${place}`], revision });

describe('StoredSvids', () => {
  it('stores each SVID once, and again when it or a bundle of its changes', async () => {
    const { cache, stored } = start();
    const entry = entryOf(domain, 'a', { storeSvid: true, selectors: ['fake:p'], federatesWith: ['b.test'] });
    cache.apply({ entries: [entry, entryOf(domain, 'w')] });
    expect(await stored.once()).toBe(true);
    expect(store.calls).toEqual([]);
    cache.apply({ svids: [await stocked(domain, entry)] });
    await stored.once();
    await stored.once();
    expect(store.calls).toEqual(['put p']);
    cache.apply({ svids: [await stocked(domain, entry)] });
    await stored.once();
    const other = await TestTrustDomain.create('b.test', { now: clock.now });
    cache.apply({ bundles: [other.bundle] });
    await stored.once();
    expect(store.calls).toHaveLength(3);
    expect(store.places.get('p')?.federatedBundles.map(({ trustDomain }) => trustDomain.name)).toEqual(['b.test']);
    const unrelated = await TestTrustDomain.create('c.test', { now: clock.now });
    cache.apply({ bundles: [unrelated.bundle] });
    await stored.once();
    expect(store.calls).toHaveLength(3);
  });

  it('follows an entry to another place, and takes away what has no entry', async () => {
    const { cache, stored } = start();
    const entry = storedEntry('a', 'old');
    cache.apply({ entries: [entry], svids: [await stocked(domain, entry)] });
    await stored.once();
    const moved = storedEntry('a', 'new', 1);
    cache.apply({ entries: [moved], svids: [await stocked(domain, moved)] });
    await stored.once();
    expect([...store.places.keys()]).toEqual(['new']);
    cache.apply({ entries: [entryOf(domain, 'a', { selectors: ['fake:new'], revision: 2 })] });
    await stored.once();
    expect(store.places.size).toBe(0);
  });

  it('takes away after a restart, but not before the server has spoken (T1, T2)', async () => {
    const first = start();
    const entry = storedEntry('a', 'p');
    first.cache.apply({ entries: [entry], svids: [await stocked(domain, entry)] });
    await first.stored.once();
    const file = dir.join('stored-svids.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ a: { store: 'fake', metadata: ['p'] } });
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const { cache, stored } = start(false);
    const abort = new AbortController();
    const running = stored.run(abort.signal);
    cache.apply({ entries: [] });
    expect(store.places.has('p')).toBe(true);
    cache.markSynced();
    cache.apply({});
    while (store.places.has('p')) await new Promise((resolve) => setImmediate(resolve));
    while ((await readFile(file, 'utf8')) !== '{}') await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await running;
  });

  it('starts with a damaged note of what was stored', async () => {
    await writeFile(dir.join('stored-svids.json'), '{"a":');
    const { cache, stored } = start();
    const abort = new AbortController();
    const running = stored.run(abort.signal);
    const entry = storedEntry('b', 'p');
    cache.apply({ entries: [entry], svids: [await stocked(domain, entry)] });
    while (!store.places.has('p')) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await running;
    expect(log.messages('warn')).toEqual(['What earlier runs stored is not known']);
  });

  it('gives a place to one entry only, and to the next when that goes (T3)', async () => {
    const { cache, stored } = start();
    const [a, b] = [storedEntry('a', 'p'), storedEntry('b', 'p')];
    cache.apply({ entries: [b, a], svids: [await stocked(domain, b), await stocked(domain, a)] });
    await stored.once();
    await stored.once();
    expect(store.places.get('p')?.svid.id.path).toBe('/a');
    expect(log.messages('error')).toHaveLength(1);
    cache.apply({ removedEntries: ['a'] });
    await stored.once();
    expect(store.places.get('p')?.svid.id.path).toBe('/b');
  });

  it('tries again what failed, and not what can never succeed (T4)', async () => {
    const { cache, stored } = start();
    const [bad, good] = [storedEntry('a', 'bad'), storedEntry('b', 'p')];
    cache.apply({ entries: [bad, good], svids: [await stocked(domain, bad), await stocked(domain, good)] });
    expect(await stored.once()).toBe(true);
    expect(store.places.has('p')).toBe(true);
    await stored.once();
    expect(log.messages('error')).toEqual(['The X509-SVID of an entry is not stored']);
    store.failure = new Error('the disk is full');
    cache.apply({ removedEntries: ['b'] });
    expect(await stored.once()).toBe(false);
    store.failure = undefined;
    expect(await stored.once()).toBe(true);
    expect(store.places.size).toBe(0);
  });
});
