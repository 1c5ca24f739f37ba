import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import type { StorableSvid, SvidStore } from './svid-store.ts';

/** What a store holds in one place. */
export interface StoredForm {
  /** The leaf's URI. */
  readonly id: string;
  /** DER, as base64. */
  readonly leaf: string;
  /** DER of the SubjectPublicKeyInfo that belongs to the private key, as base64. */
  readonly spki: string;
  readonly roots: number;
  readonly federated: readonly string[];
}

export interface OpenedStore {
  readonly store: SvidStore;
  /** Reads past the store what its users find; undefined if there is nothing. */
  readonly read: (metadata: readonly string[]) => Promise<StoredForm | undefined>;
}

/** What every SVID store must do. `places` are metadata of two places, `nowhere` is metadata of none. */
export function svidStoreContract(
  open: () => Promise<OpenedStore>,
  samples: {
    readonly places: readonly [readonly string[], readonly string[]];
    readonly nowhere: readonly (readonly string[])[];
  },
): void {
  const [here, there] = samples.places;

  describe('an SVID store', () => {
    it('keeps an SVID with its key and all bundles, each in its own place', async () => {
      const { store, read } = await open();
      const [web, api] = [await storable('/web', ['b.test', 'c.test']), await storable('/api')];
      await store.put(web, here);
      await store.put(api, there);
      expect(await read(here)).toEqual(formOf(web));
      expect(await read(there)).toEqual(formOf(api));
    });

    it('replaces all of it', async () => {
      const { store, read } = await open();
      await store.put(await storable('/web', ['b.test']), here);
      const renewed = await storable('/web');
      await store.put(renewed, here);
      expect(await read(here)).toEqual(formOf(renewed));
      await store.put(renewed, here);
      expect(await read(here)).toEqual(formOf(renewed));
    });

    it('removes one and not the other, and nothing twice', async () => {
      const { store, read } = await open();
      const api = await storable('/api');
      await store.put(await storable('/web'), here);
      await store.put(api, there);
      await store.remove(here);
      expect(await read(here)).toBeUndefined();
      expect(await read(there)).toEqual(formOf(api));
      await store.remove(here);
      await store.put(api, here);
      expect(await read(here)).toEqual(formOf(api));
    });

    it('takes changes of one place in their order', async () => {
      const { store, read } = await open();
      const all = await Promise.all(['/a', '/b', '/c'].map((path) => storable(path)));
      await Promise.all(all.map((one) => store.put(one, here)));
      expect((await read(here))?.id).toBe('spiffe://a.test/c');
    });

    it.each(samples.nowhere)('refuses metadata that names no place (%#)', async (...metadata) => {
      const { store } = await open();
      await expect(store.put(await storable('/web'), metadata)).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(store.remove(metadata)).rejects.toMatchObject({ code: 'invalid-argument' });
    });
  });
}

/** A fresh SVID of a.test. */
export async function storable(path: string, federated: readonly string[] = []): Promise<StorableSvid> {
  const domain = await TestTrustDomain.create('a.test');
  const others = await Promise.all(federated.map((name) => TestTrustDomain.create(name)));
  return {
    svid: await domain.x509Svid(path),
    bundle: domain.bundle,
    federatedBundles: others.map(({ bundle }) => bundle),
  };
}

export function formOf({ svid, bundle, federatedBundles }: StorableSvid): StoredForm {
  return {
    id: svid.id.toString(),
    leaf: Buffer.from(svid.leaf.raw).toString('base64'),
    spki: Buffer.from(svid.leaf.spki).toString('base64'),
    roots: bundle.x509Authorities.length,
    federated: federatedBundles.map(({ trustDomain }) => trustDomain.name),
  };
}
