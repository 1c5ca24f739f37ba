import { type AgentFilter, parseSelector } from '@steeple/core';
import { describe, expect, it } from 'vitest';
import { allPages, anAgent, anEntry, anId } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

const selectors = (...texts: string[]) => texts.map(parseSelector);

export function agentStoreContract(open: () => Promise<Datastore>): void {
  describe('agents', () => {
    it('come back exactly as they were, and attest again', async () => {
      await using store = await open();
      const agent = anAgent('a', {
        selectors: selectors('x:1', 'x:2'),
        expiresAt: 10.5,
        newSerial: '2',
        newExpiresAt: 20,
      });
      await store.agents.save(agent);
      expect(await store.agents.get(agent.id)).toEqual(agent);
      const again = {
        ...agent,
        serial: '99',
        selectors: selectors('x:3'),
        newSerial: '',
        newExpiresAt: 0,
        canReattest: false,
      };
      await store.agents.save(again);
      expect(await store.agents.get(agent.id)).toEqual(again);
      expect(await store.agents.loadAll()).toEqual([again]);
    });

    it('keep their version when an attestation does not know it', async () => {
      await using store = await open();
      await store.agents.save(anAgent('a', { agentVersion: '' }));
      await store.agents.setVersion(anAgent('a').id, '1.2');
      await store.agents.save(anAgent('a', { agentVersion: '' }));
      expect((await store.agents.get(anAgent('a').id))?.agentVersion).toBe('1.2');
    });

    it('are read as each write left them, however often they were read before', async () => {
      await using store = await open();
      const { id } = anAgent('a');
      const { agents } = store;
      const read = () => agents.get(id);
      expect(await read()).toBeUndefined();
      await agents.save(anAgent('a'));
      expect(await read()).toEqual(anAgent('a'));
      await agents.stageSerial(id, '2', 99);
      expect(await read()).toMatchObject({ newSerial: '2', newExpiresAt: 99 });
      await agents.activateSerial(id, '2');
      expect(await read()).toMatchObject({ serial: '2', newSerial: '', expiresAt: 99 });
      await agents.setVersion(id, '7');
      expect(await read()).toMatchObject({ agentVersion: '7' });
      await agents.ban(id);
      expect(await read()).toMatchObject({ serial: '' });
      await expect(agents.save(anAgent('a'))).rejects.toMatchObject({ agentReason: 'banned' });
      expect(await read()).toMatchObject({ serial: '', agentVersion: '7' });
      await agents.delete(id);
      expect(await read()).toBeUndefined();
      await agents.save(anAgent('a', { expiresAt: 5, canReattest: true }));
      expect(await read()).toMatchObject({ expiresAt: 5 });
      await agents.pruneExpired({ before: 6, includeNotReattestable: true, limit: 9 });
      expect(await read()).toBeUndefined();
    });

    it('that are trusted on first use attest once, however many try, until they are deleted', async () => {
      await using store = await open();
      const once = () => store.agents.save(anAgent('a'), { onlyNew: true });
      const tries = await Promise.allSettled(Array.from({ length: 5 }, once));
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const used = {
        code: 'permission-denied',
        message: 'attestation data has already been used to attest an agent',
      };
      await expect(once()).rejects.toMatchObject(used);
      await store.agents.ban(anAgent('a').id);
      await expect(once()).rejects.toMatchObject(used);
      await store.agents.delete(anAgent('a').id);
      await once();
    });

    it('stay banned until they are deleted', async () => {
      await using store = await open();
      const { id } = anAgent('a');
      await store.agents.save(anAgent('a', { newSerial: '2', newExpiresAt: 9 }));
      await store.agents.ban(id);
      expect(await store.agents.get(id)).toMatchObject({ serial: '', newSerial: '' });
      const banned = { code: 'permission-denied', agentReason: 'banned' };
      await expect(store.agents.save(anAgent('a'))).rejects.toMatchObject(banned);
      await expect(store.agents.stageSerial(id, '3', 9)).rejects.toMatchObject(banned);
      for (const serial of ['', '1', '2']) expect(await store.agents.activateSerial(id, serial)).toBeUndefined();
      expect(await store.agents.get(id)).toMatchObject({ serial: '' });
      await store.agents.delete(id);
      await store.agents.save(anAgent('a'));
      expect(await store.agents.get(id)).toEqual(anAgent('a'));
    });

    it('renew: the staged serial becomes current at its first use, the old one ends', async () => {
      await using store = await open();
      const { id } = anAgent('a');
      await store.agents.save(anAgent('a'));
      await store.agents.stageSerial(id, '2', 3000);
      expect((await store.agents.activateSerial(id, '1'))?.newSerial).toBe('2');
      await store.agents.stageSerial(id, '3', 4000);
      expect(await store.agents.activateSerial(id, '2')).toBeUndefined();
      const renewed = anAgent('a', { serial: '3', expiresAt: 4000 });
      expect(await store.agents.activateSerial(id, '3')).toEqual(renewed);
      expect(await store.agents.activateSerial(id, '3')).toEqual(renewed);
      expect(await store.agents.activateSerial(id, '1')).toBeUndefined();
      expect(await store.agents.activateSerial(id, '')).toBeUndefined();
      expect(await store.agents.get(id)).toEqual(renewed);
    });

    it('need a serial', async () => {
      await using store = await open();
      await expect(store.agents.save(anAgent('a', { serial: '' }))).rejects.toMatchObject({ code: 'invalid-argument' });
      await store.agents.save(anAgent('a'));
      await expect(store.agents.stageSerial(anAgent('a').id, '', 1)).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    });

    it('that do not exist are not found', async () => {
      await using store = await open();
      const id = anId('/spire/agent/x509pop/none');
      const missing = { code: 'not-found', message: 'agent not found' };
      await expect(store.agents.ban(id)).rejects.toMatchObject(missing);
      await expect(store.agents.delete(id)).rejects.toMatchObject(missing);
      await expect(store.agents.stageSerial(id, '1', 1)).rejects.toMatchObject(missing);
      await expect(store.agents.setVersion(id, '1')).rejects.toMatchObject(missing);
      expect(await store.agents.activateSerial(id, '1')).toBeUndefined();
      expect(await store.agents.get(id)).toBeUndefined();
    });

    it('of a join token take the entry of that token with them, and no other', async () => {
      await using store = await open();
      const id = anId('/spire/agent/join_token/t');
      await store.agents.save(anAgent('t', { id, attestationType: 'join_token' }));
      const selector = { type: 'spiffe_id', value: id.toString() };
      await store.entries.create([
        anEntry('vanity', { parentId: id, selectors: [selector] }),
        anEntry('more', { parentId: id, selectors: [selector, parseSelector('a:b')] }),
        anEntry('workload', { parentId: id }),
      ]);
      await store.agents.delete(id);
      expect((await store.entries.list()).items.map((entry) => entry.id)).toEqual(['more', 'workload']);
    });

    it('are selected by filters', async () => {
      await using store = await open();
      await store.agents.save(anAgent('a', { selectors: selectors('x:1') }));
      await store.agents.save(anAgent('b', { selectors: selectors('x:1', 'x:2'), canReattest: false, expiresAt: 100 }));
      await store.agents.save(anAgent('c', { attestationType: 'join_token', expiresAt: 200 }));
      await store.agents.ban(anAgent('c').id);
      const cases: readonly [AgentFilter, string][] = [
        [{}, 'a b c'],
        [{ attestationType: 'join_token' }, 'c'],
        [{ banned: true }, 'c'],
        [{ banned: false }, 'a b'],
        [{ canReattest: true }, 'a c'],
        [{ canReattest: false }, 'b'],
        [{ expiresBefore: 200 }, 'b'],
        [{ expiresBefore: 201, banned: false }, 'b'],
        [{ selectors: { selectors: selectors('x:1'), match: 'exact' } }, 'a'],
        [{ selectors: { selectors: selectors('x:1', 'x:2', 'x:3'), match: 'subset' } }, 'a b'],
        [{ selectors: { selectors: selectors('x:2'), match: 'superset' } }, 'b'],
        [{ selectors: { selectors: selectors('x:1', 'y:9'), match: 'any' } }, 'a b'],
      ];
      for (const [filter, expected] of cases) {
        const { items } = await store.agents.list({ filter });
        expect(items.map(({ id }) => id.path.slice(-1)).join(' '), JSON.stringify(filter)).toBe(expected);
        expect(await store.agents.count(filter)).toBe(items.length);
      }
      const empty = store.agents.list({ filter: { selectors: { selectors: [], match: 'any' } } });
      await expect(empty).rejects.toMatchObject({ code: 'invalid-argument' });
    });

    it('keep their place in pages when they attest again', async () => {
      await using store = await open();
      for (const name of ['a', 'b', 'c']) await store.agents.save(anAgent(name));
      const first = await store.agents.list({ page: { size: 1, token: '' } });
      await store.agents.save(anAgent('a', { serial: '7' }));
      const second = await store.agents.list({ page: { size: 9, token: first.nextToken } });
      expect(second.items.map(({ id }) => id.path.slice(-1))).toEqual(['b', 'c']);
      expect(await allPages((page) => store.agents.list({ page }), 2)).toHaveLength(3);
      await expect(store.agents.list({ page: { size: 1, token: 'b' } })).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    });

    it('are pruned when long expired, the banned never', async () => {
      await using store = await open();
      await store.agents.save(anAgent('old', { expiresAt: 10 }));
      await store.agents.save(anAgent('older', { expiresAt: 5 }));
      await store.agents.save(anAgent('once', { expiresAt: 1, canReattest: false }));
      await store.agents.save(anAgent('banned', { expiresAt: 1 }));
      await store.agents.save(anAgent('fresh', { expiresAt: 100 }));
      await store.agents.ban(anAgent('banned').id);
      const query = { before: 100, limit: 1, includeNotReattestable: false };
      expect(await store.agents.pruneExpired(query)).toEqual([anAgent('older').id.toString()]);
      const all = { ...query, limit: 10, includeNotReattestable: true };
      expect(await store.agents.pruneExpired(all)).toEqual([anAgent('once'), anAgent('old')].map(({ id }) => `${id}`));
      expect(await store.agents.count()).toBe(2);
    });
  });
}
