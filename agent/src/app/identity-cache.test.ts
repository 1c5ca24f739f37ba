import { parseSelector } from '@steeple/core';
import { FakeClock, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { entryOf, stocked, turn } from '../testing/fixtures.ts';
import { IdentityCache, type SubscribeOptions } from './identity-cache.ts';
import { type WorkloadView, withoutDuplicateHints } from './workload-view.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });
const ME = [parseSelector('unix:uid:1')];
let cache: IdentityCache;
let abort: AbortController;

beforeEach(() => {
  abort = new AbortController();
  cache = new IdentityCache(domain.trustDomain, clock.now);
  cache.apply({ bundles: [domain.bundle] });
  cache.markSynced();
  return () => abort.abort();
});

/** Collects every view that a reader gets which reads as fast as it can. */
function follow(selectors = ME, options: SubscribeOptions = {}): WorkloadView[] {
  const views: WorkloadView[] = [];
  void (async () => {
    for await (const view of cache.subscribe(selectors, abort.signal, options)) views.push(view);
  })();
  return views;
}

const shown = (view: WorkloadView | undefined) => view?.identities.map(({ entry }) => entry.id);

describe('IdentityCache', () => {
  it('gives the present state at once, and each change in one step (C1)', async () => {
    const views = follow();
    await turn();
    expect(views).toHaveLength(1);
    const [a, b] = [entryOf(domain, 'a'), entryOf(domain, 'b')];
    cache.apply({ entries: [b, a], svids: [await stocked(domain, a), await stocked(domain, b)] });
    await turn();
    expect(views).toHaveLength(2);
    expect(shown(views[1])).toEqual(['a', 'b']);
    expect(views[1]?.settled).toBe(true);
  });

  it('keeps the newest view only, however many were missed (C3)', async () => {
    const views = cache.subscribe(ME, abort.signal);
    await views.next();
    for (let revision = 1; revision <= 100; revision++) cache.apply({ entries: [entryOf(domain, 'a', { revision })] });
    expect((await views.next()).value?.entries[0]?.revision).toBe(100);
    const later = views.next();
    let came = false;
    void later.then(() => (came = true));
    await turn();
    expect(came).toBe(false);
  });

  it('computes one view for all streams with the same selectors (C4)', async () => {
    const readers = Array.from({ length: 50 }, () => follow());
    const other = follow([parseSelector('unix:uid:2')]);
    await turn();
    cache.apply({ entries: [entryOf(domain, 'a')] });
    await turn();
    expect(new Set(readers.map((views) => views.at(-1))).size).toBe(1);
    expect(readers.every((views) => views.length === 2)).toBe(true);
    expect(other).toHaveLength(1);
  });

  it('says nothing when nothing changed', async () => {
    const a = entryOf(domain, 'a');
    const svid = await stocked(domain, a);
    cache.apply({ entries: [a], svids: [svid] });
    const views = follow();
    await turn();
    cache.apply({ entries: [entryOf(domain, 'a')], bundles: [domain.bundle], svids: [svid] });
    await turn();
    expect(views).toHaveLength(1);
  });

  it('never shows an expired SVID, even before anybody noticed the time (C5)', async () => {
    const a = entryOf(domain, 'a');
    cache.apply({ entries: [a], svids: [await stocked(domain, a, { ttl: 60 })] });
    expect(shown(cache.view(ME))).toEqual(['a']);
    clock.jumpTo(clock.now() + 61);
    expect(shown(cache.view(ME))).toEqual([]);
    const views = follow();
    cache.expire();
    await turn();
    expect(shown(views.at(-1))).toEqual([]);
    expect(cache.svidCount).toBe(0);
  });

  it('never shows an SVID under another SPIFFE ID than the entry has now', async () => {
    const a = entryOf(domain, 'a');
    cache.apply({ entries: [a], svids: [await stocked(domain, a)] });
    cache.apply({ entries: [entryOf(domain, 'a', { path: '/renamed', revision: 1 })] });
    expect(shown(cache.view(ME))).toEqual([]);
    expect(cache.view(ME).settled).toBe(false);
  });

  it('serves the SVID of an older revision until the new one is there', async () => {
    const a = entryOf(domain, 'a');
    cache.apply({ entries: [a], svids: [await stocked(domain, a)] });
    cache.apply({ entries: [entryOf(domain, 'a', { revision: 1 })] });
    expect(shown(cache.view(ME))).toEqual(['a']);
    expect(cache.due(clock.now()).map(({ id }) => id)).toEqual(['a']);
  });

  it('does not take in an SVID whose entry is gone', async () => {
    const a = entryOf(domain, 'a');
    const svid = await stocked(domain, a);
    cache.apply({ entries: [a] });
    cache.apply({ removedEntries: ['a'] });
    cache.apply({ svids: [svid] });
    expect(cache.svidCount).toBe(0);
  });

  it('shows an entry with others’ selectors to nobody and moves it when they change', async () => {
    cache.apply({ entries: [entryOf(domain, 'a', { selectors: ['unix:uid:2'] })] });
    const [mine, theirs] = [follow(), follow([parseSelector('unix:uid:2')])];
    await turn();
    expect([mine[0]?.entries.length, theirs[0]?.entries.length]).toEqual([0, 1]);
    cache.apply({ entries: [entryOf(domain, 'a', { revision: 1 })] });
    await turn();
    expect([mine.at(-1)?.entries.length, theirs.at(-1)?.entries.length]).toEqual([1, 0]);
  });

  it('of entries with one hint shows the oldest, and the other when that one goes', async () => {
    const old = entryOf(domain, 'z', { hint: 'h', createdAt: 1 });
    const young = entryOf(domain, 'a', { hint: 'h', createdAt: 2 });
    cache.apply({ entries: [young, old, entryOf(domain, 'm')] });
    const shown = () => withoutDuplicateHints(cache.view(ME)).entries.map(({ id }) => id);
    expect(cache.view(ME).entries.map(({ id }) => id)).toEqual(['a', 'm', 'z']);
    expect(shown()).toEqual(['m', 'z']);
    cache.apply({ removedEntries: ['z'] });
    expect(shown()).toEqual(['a', 'm']);
  });

  it('shows federated bundles only to those who federate', async () => {
    const other = await TestTrustDomain.create('b.test', { now: clock.now });
    cache.apply({ entries: [entryOf(domain, 'a')], bundles: [other.bundle] });
    expect(cache.view(ME).federatedBundles).toEqual([]);
    cache.apply({ entries: [entryOf(domain, 'a', { revision: 1, federatesWith: ['b.test', 'a.test', 'c.test'] })] });
    expect(cache.view(ME).federatedBundles.map(({ trustDomain }) => trustDomain.name)).toEqual(['b.test']);
    cache.apply({ removedBundles: [other.trustDomain] });
    expect(cache.view(ME).federatedBundles).toEqual([]);
  });

  it('wants SVIDs not fetched in advance only while somebody waits for them', async () => {
    cache.apply({ entries: [entryOf(domain, 'a', { disableX509SvidPrefetch: true })] });
    expect(cache.due(clock.now())).toEqual([]);
    follow(ME);
    expect(cache.due(clock.now())).toEqual([]);
    let nudged = 0;
    cache.onWork(() => nudged++);
    follow(ME, { x509: true });
    await turn();
    expect(nudged).toBe(1);
    expect(cache.due(clock.now()).map(({ id }) => id)).toEqual(['a']);
    cache.apply({ svids: await Promise.all(cache.due(clock.now()).map((entry) => stocked(domain, entry))) });
    nudged = 0;
    follow(ME, { x509: true });
    await turn();
    // What is in stock and not due makes no work.
    expect(nudged).toBe(0);
    abort.abort();
    await turn();
    expect(cache.due(clock.now())).toEqual([]);
  });

  it('keeps no more SVIDs than allowed, the last used ones, but serves every subscriber', async () => {
    cache = new IdentityCache(domain.trustDomain, clock.now, { maxSize: 2, stores: new Set() });
    const of = (name: string) => entryOf(domain, name, { selectors: [`test:${name}`] });
    cache.apply({ entries: ['a', 'b', 'c', 'd'].map(of), bundles: [domain.bundle] });
    cache.markSynced();
    const due = () => cache.due(clock.now()).map(({ id }) => id);
    const fetch = async () =>
      cache.apply({ svids: await Promise.all(cache.due(clock.now()).map((e) => stocked(domain, e))) });
    expect(due()).toEqual(['a', 'b']);
    await fetch();
    expect([cache.svidCount, due()]).toEqual([2, []]);

    const [c, d] = [new AbortController(), new AbortController()];
    const follow = (name: string, signal: AbortSignal) => {
      const views = cache.subscribe([parseSelector(`test:${name}`)], signal, { x509: true });
      return (async () => {
        for await (const { identities } of views) if (identities.length > 0) return views.return();
        return undefined;
      })();
    };
    const watching = cache.subscribe([parseSelector('test:c')], c.signal, { x509: true });
    expect((await watching.next()).value?.settled).toBe(false);
    expect(due()).toEqual(['c']);
    await fetch();
    // Of those that nobody follows the first one goes that was used least.
    expect([
      cache.svidCount,
      shown(cache.view([parseSelector('test:a')])),
      shown(cache.view([parseSelector('test:c')])),
    ]).toEqual([2, ['a'], ['c']]);
    expect(due()).toEqual([]);

    const others = ['a', 'b', 'd'].map((name) => follow(name, d.signal));
    await turn();
    await fetch();
    await Promise.all(others);
    await turn();
    // Nobody is without, and when they have left the allowed number is left: c is followed, d came last.
    cache.apply({});
    expect(
      ['a', 'b', 'c', 'd'].filter((name) => shown(cache.view([parseSelector(`test:${name}`)]))?.length === 1),
    ).toEqual(['c', 'd']);
    c.abort();
    d.abort();
  });

  it('keeps SVIDs for a store, if that is at hand, and counts them apart', async () => {
    cache = new IdentityCache(domain.trustDomain, clock.now, { maxSize: 1, stores: new Set(['disk']) });
    const stored = entryOf(domain, 's', { storeSvid: true, selectors: ['disk:name:x', 'disk:group:y'] });
    const [mixed, unknown] = [['disk:name:x', 'unix:uid:1'], ['vault:name:x']].map((selectors, index) =>
      entryOf(domain, `u${index}`, { storeSvid: true, selectors }),
    );
    cache.apply({
      entries: [stored, mixed ?? stored, unknown ?? stored, entryOf(domain, 'a')],
      bundles: [domain.bundle],
    });
    expect(cache.due(clock.now()).map(({ id }) => id)).toEqual(['s', 'a']);
    cache.apply({ svids: [await stocked(domain, stored), await stocked(domain, entryOf(domain, 'a'))] });
    expect([cache.svidCount, cache.storedSvidCount]).toEqual([1, 1]);
  });

  it('keeps entries for SVID stores away from workloads', () => {
    cache.apply({ entries: [entryOf(domain, 'a', { storeSvid: true })] });
    expect(cache.view(ME).entries).toEqual([]);
    expect(cache.due(clock.now())).toEqual([]);
  });

  it('settles an entry whose SVID could not be had, and asks again after the wait', async () => {
    cache.apply({ entries: [entryOf(domain, 'a')] });
    expect(cache.view(ME).settled).toBe(false);
    cache.apply({ failed: { entryIds: ['a', 'unknown'], delay: (failures) => 10 * (failures + 1) } });
    expect(cache.view(ME).settled).toBe(true);
    expect(cache.due(clock.now())).toEqual([]);
    expect(cache.nextMoment(clock.now())).toBe(clock.now() + 10);
    expect(cache.due(clock.now() + 10)).toHaveLength(1);
  });

  it('is not settled before the first answer of the server (C6)', () => {
    const fresh = new IdentityCache(domain.trustDomain, clock.now);
    expect(fresh.view(ME).settled).toBe(false);
    fresh.markSynced();
    expect(fresh.view(ME).settled).toBe(true);
  });
});
