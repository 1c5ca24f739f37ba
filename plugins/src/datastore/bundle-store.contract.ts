import { SpiffeId, TrustBundle, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { aBundle, allPages, anEntry, aTokenAuthority, HOME } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

const OTHER = TrustDomain.parse('other.test');

export function bundleStoreContract(open: () => Promise<Datastore>): void {
  describe('bundles', () => {
    it('come back exactly as they were', async () => {
      await using store = await open();
      const bundle = TrustBundle.of(HOME, {
        sequence: 2n ** 64n - 1n,
        refreshHint: 300,
        jwtAuthorities: [aTokenAuthority('a', { expiresAt: 123.5, tainted: true }), aTokenAuthority('B')],
        witAuthorities: [aTokenAuthority('__proto__')],
      });
      await store.bundles.put(bundle);
      const stored = await store.bundles.get(HOME);
      expect(stored?.equals(bundle)).toBe(true);
      expect(stored?.jwtAuthorities.map(({ kid, tainted }) => [kid, tainted])).toEqual([
        ['a', true],
        ['B', false],
      ]);
      expect(await store.bundles.get(OTHER)).toBeUndefined();
    });

    it('are written only in the state that was expected', async () => {
      await using store = await open();
      await expect(store.bundles.put(aBundle('other.test'), 'present')).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.bundles.put(aBundle('other.test'), 1n)).rejects.toMatchObject({ code: 'not-found' });
      await store.bundles.put(aBundle('other.test', 1n), 'absent');
      const twice = store.bundles.put(aBundle('other.test', 5n), 'absent');
      await expect(twice).rejects.toMatchObject({ code: 'already-exists' });
      await store.bundles.put(aBundle('other.test', 2n), 1n);
      const stale = store.bundles.put(aBundle('other.test', 9n), 1n);
      await expect(stale).rejects.toMatchObject({ code: 'failed-precondition' });
      expect((await store.bundles.get(OTHER))?.sequence).toBe(2n);
    });

    it('change as one step', async () => {
      await using store = await open();
      const grow = (old: TrustBundle | undefined) =>
        (old ?? TrustBundle.of(OTHER)).with({ sequence: (old?.sequence ?? 0n) + 1n });
      await Promise.all(Array.from({ length: 10 }, () => store.bundles.update(OTHER, grow)));
      expect((await store.bundles.get(OTHER))?.sequence).toBe(10n);
      const moved = store.bundles.update(OTHER, () => aBundle('third.test'));
      await expect(moved).rejects.toMatchObject({ code: 'internal' });
      expect(await store.bundles.count()).toBe(1);
    });

    it('are listed in pages, without the own one', async () => {
      await using store = await open();
      for (const name of ['a.test', 'example.org', 'b.test', 'c.test']) await store.bundles.put(aBundle(name));
      await store.bundles.put(aBundle('a.test', 2n));
      const listed = await allPages((page) => store.bundles.list({ except: HOME, page }), 1);
      expect(listed.map(({ trustDomain }) => trustDomain.name)).toEqual(['a.test', 'b.test', 'c.test']);
      expect((await store.bundles.list()).items).toHaveLength(4);
      expect(await store.bundles.count()).toBe(4);
      await expect(store.bundles.list({ page: { size: 1, token: 'a.test' } })).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    });
  });

  describe('deleting a bundle that entries federate with', () => {
    const filled = async () => {
      const store = await open();
      await store.bundles.put(aBundle('other.test'));
      await store.bundles.put(aBundle('third.test'));
      await store.entries.create([
        anEntry('a', { federatesWith: ['other.test', 'third.test'] }),
        anEntry('b', { federatesWith: ['third.test'] }),
      ]);
      return store;
    };

    it('is refused in mode restrict', async () => {
      await using store = await filled();
      await expect(store.bundles.delete(OTHER, 'restrict')).rejects.toMatchObject({
        code: 'failed-precondition',
        message: 'datastore-sql: cannot delete bundle; federated with 1 registration entries',
      });
      expect(await store.bundles.count()).toBe(2);
      await store.entries.delete(['a']);
      await store.bundles.delete(OTHER, 'restrict');
      expect(await store.bundles.count()).toBe(1);
    });

    it('takes them with it in mode delete', async () => {
      await using store = await filled();
      await store.bundles.delete(OTHER, 'delete');
      expect((await store.entries.list()).items.map(({ id }) => id)).toEqual(['b']);
    });

    it('unlinks them in mode dissociate, with a new revision so that agents hear of it', async () => {
      await using store = await filled();
      await store.bundles.delete(OTHER, 'dissociate');
      expect(await store.entries.get('a')).toEqual(anEntry('a', { federatesWith: ['third.test'], revision: 1 }));
      expect(await store.entries.get('b')).toEqual(anEntry('b', { federatesWith: ['third.test'] }));
    });

    it('is not found if there is no bundle', async () => {
      await using store = await open();
      for (const mode of ['restrict', 'delete', 'dissociate'] as const) {
        await expect(store.bundles.delete(OTHER, mode)).rejects.toMatchObject({ code: 'not-found' });
      }
    });
  });

  describe('federation relationships', () => {
    const web = { trustDomain: OTHER, bundleEndpointUrl: 'https://o/', profile: { kind: 'https_web' } } as const;
    const endpointSpiffeId = SpiffeId.parse('spiffe://other.test/endpoint');
    const spiffe = { ...web, profile: { kind: 'https_spiffe', endpointSpiffeId } } as const;

    it('are created, changed, listed and deleted', async () => {
      await using store = await open();
      await store.federation.create(web);
      expect(await store.federation.get(OTHER)).toEqual(web);
      await expect(store.federation.create(spiffe)).rejects.toMatchObject({ code: 'already-exists' });
      expect(await store.federation.update(OTHER, () => ({ ...spiffe, trustDomain: HOME }))).toEqual(spiffe);
      expect(await store.federation.get(OTHER)).toEqual(spiffe);
      await store.federation.create({ ...web, trustDomain: TrustDomain.parse('a.test') });
      const names = await allPages((page) => store.federation.list(page), 1);
      expect(names.map(({ trustDomain }) => trustDomain.name)).toEqual(['other.test', 'a.test']);
      await store.federation.delete(OTHER);
      await expect(store.federation.delete(OTHER)).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.federation.update(OTHER, () => web)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('bring a first bundle, and leave it when they go', async () => {
      await using store = await open();
      await store.federation.create(web, aBundle('other.test', 7n));
      await store.federation.delete(OTHER);
      expect((await store.bundles.get(OTHER))?.sequence).toBe(7n);
      await store.federation.create(web);
      await expect(store.federation.create(web, aBundle('other.test', 8n))).rejects.toMatchObject({
        code: 'already-exists',
      });
      expect((await store.bundles.get(OTHER))?.sequence).toBe(7n);
    });
  });
}
