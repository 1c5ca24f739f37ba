import type { TrustBundle } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import type { BundlePublisher } from './bundle-publisher.ts';

export interface OpenedPublisher {
  readonly publisher: BundlePublisher;
  /** Reads past the publisher what stands in each of its places; undefined where nothing does. */
  readonly read: () => readonly (string | undefined)[];
  /** How often a place was changed so far. */
  readonly changes: () => number;
  /** Makes the first place fail, or not any more. */
  readonly fail: (failing: boolean) => void;
}

/** What every publisher must do. `format` gives what its places are to hold. */
export function bundlePublisherContract(
  open: () => Promise<OpenedPublisher>,
  format: (bundle: TrustBundle) => string,
): void {
  describe('a bundle publisher', () => {
    it('puts the bundle in all its places, and the next one in its stead', async () => {
      const { publisher, read } = await open();
      for (const bundle of [await aBundle(), await aBundle()]) {
        await publisher.publish(bundle, new AbortController().signal);
        expect(read().length).toBeGreaterThan(0);
        for (const text of read()) expect(text).toBe(format(bundle));
      }
    });

    it('changes nothing that is right', async () => {
      const { publisher, changes } = await open();
      const bundle = await aBundle();
      await publisher.publish(bundle, new AbortController().signal);
      const before = changes();
      await publisher.publish(bundle, new AbortController().signal);
      expect(changes()).toBe(before);
    });

    it('says which place does not have it, and fills the others', async () => {
      const { publisher, read, fail } = await open();
      fail(true);
      const bundle = await aBundle();
      const publishing = publisher.publish(bundle, new AbortController().signal);
      await expect(publishing).rejects.toMatchObject({ name: 'IssuerError', code: 'unavailable' });
      expect(
        read()
          .slice(1)
          .every((text) => text === format(bundle)),
      ).toBe(true);
      fail(false);
      await publisher.publish(bundle, new AbortController().signal);
      expect(read().every((text) => text === format(bundle))).toBe(true);
    });

    it('stops when it is told to', async () => {
      const { publisher, read } = await open();
      const stopped = publisher.publish(await aBundle(), AbortSignal.abort(new Error('shutting down')));
      await expect(stopped).rejects.toThrow('shutting down');
      expect(read().every((text) => text === undefined)).toBe(true);
      await publisher.close();
    });
  });
}

async function aBundle(): Promise<TrustBundle> {
  return (await TestTrustDomain.create('example.org')).bundle;
}
