import { parseSelector } from '@steeple/core';
import { describe, expect, it } from 'vitest';
import { aBundle, allPages, anEntry, anId } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

const FULL = anEntry('full', {
  selectors: ['unix:uid:1', 'k8s:ns:a:b', 'unix:path:/x:y']
    .map(parseSelector)
    .toSorted((a, b) => (a.type + a.value < b.type + b.value ? -1 : 1)),
  x509SvidTtl: 60,
  jwtSvidTtl: 61,
  federatesWith: ['b.test', 'a.test'],
  admin: true,
  downstream: true,
  expiresAt: 1_800_000_000.25,
  dnsNames: ['z.example', 'a.example', 'z.example'],
  storeSvid: true,
  hint: 'ü"\\;--',
  disableX509SvidPrefetch: true,
  jwtSvidIncludeJti: true,
});

export function entryStoreContract(open: () => Promise<Datastore>): void {
  describe('entries', () => {
    it('come back exactly as they were', async () => {
      await using store = await open();
      await store.bundles.put(aBundle('a.test'));
      await store.bundles.put(aBundle('b.test'));
      const [created] = await store.entries.create([FULL]);
      expect(created).toEqual({ entry: FULL, existed: false });
      expect(await store.entries.get('full')).toEqual(FULL);
      expect((await store.entries.list()).items).toEqual([FULL]);
      expect(await store.entries.get('FULL')).toBeUndefined();
    });

    it('are created with revision 0, sorted selectors and no duplicates', async () => {
      await using store = await open();
      const selectors = ['b:2', 'a:1', 'b:2', 'a:0'].map(parseSelector);
      const [created] = await store.entries.create([anEntry('e', { selectors, revision: 9 })]);
      expect(created?.entry?.revision).toBe(0);
      expect(created?.entry?.selectors).toEqual(['a:0', 'a:1', 'b:2'].map(parseSelector));
      expect(await store.entries.get('e')).toEqual(created?.entry);
    });

    it('exist already when SPIFFE ID, parent and the exact set of selectors are the same', async () => {
      await using store = await open();
      const selectors = ['a:1', 'a:2'].map(parseSelector);
      const first = anEntry('first', { selectors });
      const similar = { ...first, id: 'second', hint: 'other', selectors: [...selectors, ...selectors].toReversed() };
      const results = await store.entries.create([first, similar]);
      expect(results.map(({ existed }) => existed)).toEqual([false, true]);
      expect(results[1]?.entry?.id).toBe('first');
      const others = await store.entries.create([
        { ...first, id: 'fewer', selectors: ['a:1'].map(parseSelector) },
        { ...first, id: 'more', selectors: ['a:1', 'a:2', 'a:3'].map(parseSelector) },
        { ...first, id: 'parent', parentId: anId('/other') },
      ]);
      expect(others.map(({ existed }) => existed)).toEqual([false, false, false]);
      expect(await store.entries.count()).toBe(4);
    });

    it('of a batch fail one by one', async () => {
      await using store = await open();
      const results = await store.entries.create([
        anEntry('a'),
        { ...anEntry('a'), spiffeId: anId('/different') },
        anEntry('b', { federatesWith: ['nowhere.test'] }),
        anEntry('c'),
      ]);
      expect(results.map(({ error }) => error?.code)).toEqual([
        undefined,
        'already-exists',
        'invalid-argument',
        undefined,
      ]);
      expect(results[2]?.error?.message).toBe('unable to find federated bundle "spiffe://nowhere.test"');
      expect((await store.entries.list()).items.map(({ id }) => id)).toEqual(['a', 'c']);
    });

    it('may have thousands of selectors and names', async () => {
      await using store = await open();
      const selectors = Array.from({ length: 5000 }, (_, n) => ({ type: 't', value: String(n).padStart(5, '0') }));
      const dnsNames = Array.from({ length: 2000 }, (_, n) => `h${n}.example`);
      await store.entries.create([anEntry('big', { selectors, dnsNames })]);
      expect(await store.entries.get('big')).toEqual(anEntry('big', { selectors, dnsNames }));
      const filter = { selectors: { selectors, match: 'exact' } } as const;
      expect(await store.entries.count(filter)).toBe(1);
    });

    it('keep texts that look like SQL, hold NUL or are long', async () => {
      await using store = await open();
      const value = `'; DROP TABLE entries; --\0\u{1F511}${'x'.repeat(100_000)}`;
      const entry = anEntry('odd', { selectors: [{ type: 'a', value }], hint: value });
      await store.entries.create([entry]);
      expect(await store.entries.get('odd')).toEqual(entry);
      expect(await store.entries.count({ hint: value })).toBe(1);
    });

    it('change as one step, with a new revision each time', async () => {
      await using store = await open();
      await store.entries.create([anEntry('e')]);
      const dnsNames = ['new.example'];
      const updated = await store.entries.update('e', (old) => ({
        ...old,
        dnsNames,
        id: 'x',
        createdAt: 5,
        revision: 77,
      }));
      expect(updated).toEqual(anEntry('e', { dnsNames, revision: 1 }));
      expect(await store.entries.update('e', (old) => old)).toEqual(anEntry('e', { dnsNames, revision: 2 }));
      expect(await store.entries.get('e')).toEqual(anEntry('e', { dnsNames, revision: 2 }));
      const both = await Promise.all([1, 2, 3].map(() => store.entries.update('e', (old) => old)));
      expect(both.map(({ revision }) => revision)).toEqual([3, 4, 5]);
    });

    it('stay as they are when a change fails', async () => {
      await using store = await open();
      await store.entries.create([anEntry('e')]);
      const broken = store.entries.update('e', () => {
        throw new TypeError('no');
      });
      await expect(broken).rejects.toThrow(TypeError);
      const foreign = store.entries.update('e', (old) => ({ ...old, hint: 'h', federatesWith: ['nowhere.test'] }));
      await expect(foreign).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(store.entries.update('none', (old) => old)).rejects.toMatchObject({ code: 'not-found' });
      expect(await store.entries.get('e')).toEqual(anEntry('e'));
    });

    it('may become similar by an update', async () => {
      await using store = await open();
      await store.entries.create([anEntry('a'), anEntry('b')]);
      await store.entries.update('b', (old) => ({ ...old, spiffeId: anEntry('a').spiffeId }));
      const [result] = await store.entries.create([{ ...anEntry('a'), id: 'c' }]);
      expect(result).toMatchObject({ existed: true, entry: { id: 'a' } });
    });

    it('are deleted once', async () => {
      await using store = await open();
      await store.entries.create([anEntry('a'), anEntry('b')]);
      expect(await store.entries.delete(['a', 'none', 'a'])).toEqual([true, false, false]);
      expect((await store.entries.list()).items.map(({ id }) => id)).toEqual(['b']);
      const [again] = await store.entries.create([anEntry('a')]);
      expect(again?.existed).toBe(false);
    });

    it('expire only when they have an expiry in the past', async () => {
      await using store = await open();
      await store.entries.create([
        anEntry('never'),
        anEntry('past', { expiresAt: 99.5 }),
        anEntry('now', { expiresAt: 100 }),
        anEntry('later', { expiresAt: 101 }),
      ]);
      expect(await store.entries.pruneExpired(100)).toEqual(['past']);
      expect(await store.entries.count()).toBe(3);
    });

    it('page stably under inserts and deletes', async () => {
      await using store = await open();
      await store.entries.create(Array.from({ length: 10 }, (_, n) => anEntry(`e${n}`)));
      const first = await store.entries.list({ page: { size: 4, token: '' } });
      expect(first.items.map(({ id }) => id)).toEqual(['e0', 'e1', 'e2', 'e3']);
      await store.entries.delete(['e3', 'e5', 'e9']);
      await store.entries.create([anEntry('new')]);
      await store.entries.update('e1', (old) => old);
      const second = await store.entries.list({ page: { size: 4, token: first.nextToken } });
      expect(second.items.map(({ id }) => id)).toEqual(['e4', 'e6', 'e7', 'e8']);
      const third = await store.entries.list({ page: { size: 4, token: second.nextToken } });
      expect(third).toMatchObject({ items: [{ id: 'new' }], nextToken: '' });
      expect(await allPages((page) => store.entries.list({ page }), 1)).toHaveLength(8);
      expect((await store.entries.list({ page: { size: 8, token: '' } })).nextToken).toBe('');
    });

    it.each(['x', '-1', '0', '1.5', '1e3', ' 1', '١', '99999999999999999999', '1; --', "'"])(
      'refuse the page token %j',
      async (token) => {
        await using store = await open();
        const listed = store.entries.list({ page: { size: 1, token } });
        await expect(listed).rejects.toMatchObject({ code: 'invalid-argument' });
      },
    );

    it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse the page size %d', async (size) => {
      await using store = await open();
      const listed = store.entries.list({ page: { size, token: '' } });
      await expect(listed).rejects.toMatchObject({ code: 'invalid-argument' });
    });
  });
}
