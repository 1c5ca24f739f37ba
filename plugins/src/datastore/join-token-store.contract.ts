import { describe, expect, it } from 'vitest';
import { anEntry } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

export function joinTokenStoreContract(open: () => Promise<Datastore>): void {
  describe('join tokens', () => {
    it('work once', async () => {
      await using store = await open();
      await store.joinTokens.create({ token: 't', expiresAt: 100 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => store.joinTokens.consume('t', 99.9)));
      expect(answers.filter((answer) => answer === 'ok')).toHaveLength(1);
      expect(answers.filter((answer) => answer === 'missing')).toHaveLength(19);
    });

    it('expire, and are then gone', async () => {
      await using store = await open();
      await store.joinTokens.create({ token: 't', expiresAt: 100.5 });
      expect(await store.joinTokens.consume('t', 100.5)).toBe('expired');
      expect(await store.joinTokens.consume('t', 0)).toBe('missing');
    });

    it.each(['', 'T', 't ', 't\0', '%', '_'])('are not found by the text %j', async (text) => {
      await using store = await open();
      await store.joinTokens.create({ token: 't', expiresAt: 100 });
      expect(await store.joinTokens.consume(text, 0)).toBe('missing');
      expect(await store.joinTokens.consume('t', 0)).toBe('ok');
    });

    it('come with their entry or not at all', async () => {
      await using store = await open();
      await store.joinTokens.create({ token: 'a', expiresAt: 100 }, anEntry('vanity'));
      expect(await store.entries.get('vanity')).toEqual(anEntry('vanity'));
      const similar = store.joinTokens.create({ token: 'b', expiresAt: 100 }, { ...anEntry('vanity'), id: 'v2' });
      await expect(similar).rejects.toMatchObject({ code: 'already-exists' });
      expect(await store.joinTokens.consume('b', 0)).toBe('missing');
      const taken = store.joinTokens.create({ token: 'a', expiresAt: 100 }, anEntry('third'));
      await expect(taken).rejects.toMatchObject({ code: 'already-exists' });
      expect(await store.entries.get('third')).toBeUndefined();
      await expect(store.joinTokens.create({ token: '', expiresAt: 1 })).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    });

    it('are pruned when expired', async () => {
      await using store = await open();
      await store.joinTokens.create({ token: 'a', expiresAt: 100 });
      await store.joinTokens.create({ token: 'b', expiresAt: 101 });
      expect(await store.joinTokens.pruneExpired(100)).toBe(1);
      expect(await store.joinTokens.consume('a', 0)).toBe('missing');
      expect(await store.joinTokens.consume('b', 0)).toBe('ok');
    });
  });
}
