import { describe, expect, it } from 'vitest';
import { anAgent, anEntry } from './contract-samples.ts';
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

    it('are looked at without being taken', async () => {
      await using store = await open();
      await store.joinTokens.create({ token: 't', expiresAt: 100.5 });
      const look = (now: number) => store.joinTokens.check('t', now);
      expect([await look(100.4), await look(100.4), await look(100.5), await look(0)]).toEqual([
        'ok',
        'ok',
        'expired',
        'ok',
      ]);
      expect(await store.joinTokens.check('T', 0)).toBe('missing');
      expect(await store.joinTokens.consume('t', 0)).toBe('ok');
      expect(await look(0)).toBe('missing');
    });

    it('write their agent with them: of many at once one, and none without a token', async () => {
      await using store = await open();
      await store.joinTokens.create({ token: 't', expiresAt: 100 });
      await store.joinTokens.create({ token: 'late', expiresAt: 100 });
      const take = (serial: number) => store.joinTokens.consume('t', 0, anAgent('a', { serial: `${serial}` }));
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => take(n + 1)));
      const winner = answers.indexOf('ok');
      expect(answers.filter((answer) => answer === 'missing')).toHaveLength(19);
      expect((await store.agents.loadAll()).map(({ serial }) => serial)).toEqual([`${winner + 1}`]);
      expect(await store.joinTokens.consume('late', 100, anAgent('b'))).toBe('expired');
      expect(await store.joinTokens.consume('never', 0, anAgent('c'))).toBe('missing');
      expect(await store.agents.count()).toBe(1);
    });

    it('stay when their agent may not be written, and tell nobody of it', async () => {
      await using store = await open();
      const agent = anAgent('a');
      await store.agents.save(agent);
      await store.agents.ban(agent.id);
      await store.joinTokens.create({ token: 't', expiresAt: 100 });
      let heard = 0;
      store.watch(() => heard++);
      const [refused, other] = await Promise.allSettled([
        store.joinTokens.consume('t', 0, agent),
        store.joinTokens.consume('t', 0, anAgent('b')),
      ]);
      expect(refused).toMatchObject({ status: 'rejected', reason: { agentReason: 'banned' } });
      expect(other).toMatchObject({ status: 'fulfilled', value: 'ok' });
      expect(heard).toBe(1);
      await store.joinTokens.create({ token: 'u', expiresAt: 100 });
      await expect(store.joinTokens.consume('u', 0, anAgent('c', { serial: '' }))).rejects.toMatchObject({
        code: 'invalid-argument',
      });
      expect(await store.joinTokens.check('u', 0)).toBe('ok');
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
