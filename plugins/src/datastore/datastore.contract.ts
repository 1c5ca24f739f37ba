import { describe, expect, it } from 'vitest';
import { agentStoreContract } from './agent-store.contract.ts';
import { auditStoreContract } from './audit-store.contract.ts';
import { authorityJournalContract } from './authority-journal.contract.ts';
import { bundleStoreContract } from './bundle-store.contract.ts';
import { aBundle, anAgent, anEntry, anId } from './contract-samples.ts';
import type { Datastore, StoreChange } from './datastore.ts';
import { entryFilterContract } from './entry-filter.contract.ts';
import { entryStoreContract } from './entry-store.contract.ts';
import { filterRulesContract } from './filter-rules.contract.ts';
import { joinTokenStoreContract } from './join-token-store.contract.ts';

/** What every datastore must do. `open` makes an empty one each time. */
export function datastoreContract(open: () => Promise<Datastore>): void {
  entryStoreContract(open);
  entryFilterContract(open);
  filterRulesContract(open);
  agentStoreContract(open);
  joinTokenStoreContract(open);
  bundleStoreContract(open);
  authorityJournalContract(open);
  auditStoreContract(open);

  describe('the change feed', () => {
    it('tells each committed change once, in order, before the caller goes on', async () => {
      await using store = await open();
      const heard: string[] = [];
      store.watch((change) => heard.push(summary(change)));
      const step = async (work: Promise<unknown>) => {
        await work;
        return heard.splice(0);
      };
      const agent = anAgent('a');
      expect(await step(store.bundles.put(aBundle('other.test')))).toEqual(['bundles +other.test']);
      const batch = store.entries.create([anEntry('a', { federatesWith: ['other.test'] }), anEntry('b'), anEntry('a')]);
      expect(await step(batch)).toEqual(['entries +a/0 +b/0']);
      expect(await step(store.entries.update('b', (old) => old))).toEqual(['entries +b/1']);
      expect(await step(store.agents.save(agent))).toEqual(['agents +a:1']);
      expect(await step(store.agents.stageSerial(agent.id, '2', 9))).toEqual(['agents +a:1']);
      expect(await step(store.agents.activateSerial(agent.id, '1'))).toEqual([]);
      expect(await step(store.agents.activateSerial(agent.id, '2'))).toEqual(['agents +a:2']);
      expect(await step(store.agents.ban(agent.id))).toEqual(['agents +a:']);
      expect(await step(store.agents.delete(agent.id))).toEqual([`agents -${agent.id}`]);
      const deleted = store.bundles.delete(aBundle('other.test').trustDomain, 'delete');
      expect(await step(deleted)).toEqual(['entries -a, bundles -other.test']);
      await store.bundles.put(aBundle('third.test'));
      await store.entries.update('b', (old) => ({ ...old, federatesWith: ['third.test'] }));
      heard.splice(0);
      const dissociated = store.bundles.delete(aBundle('third.test').trustDomain, 'dissociate');
      expect(await step(dissociated)).toEqual(['entries +b/3, bundles -third.test']);
      expect(await step(store.entries.delete(['b', 'none']))).toEqual(['entries -b']);
      expect(await step(store.entries.delete(['none']))).toEqual([]);
      expect(await step(store.joinTokens.create({ token: 't', expiresAt: 9 }, anEntry('v')))).toEqual(['entries +v/0']);
    });

    it('tells of nothing that was rolled back', async () => {
      await using store = await open();
      await store.entries.create([anEntry('e')]);
      const heard: StoreChange[] = [];
      store.watch((change) => heard.push(change));
      await store.entries.update('none', (old) => old).catch(() => undefined);
      await store.entries.update('e', (old) => ({ ...old, federatesWith: ['x.test'] })).catch(() => undefined);
      await store.agents.ban(anId('/spire/agent/a/b')).catch(() => undefined);
      await store.joinTokens.create({ token: '1', expiresAt: 1 }, anEntry('e')).catch(() => undefined);
      expect(heard).toEqual([]);
    });

    it('survives a failing listener and ends when told', async () => {
      await using store = await open();
      let heard = 0;
      store.watch(() => {
        throw new Error('broken listener');
      });
      const end = store.watch(() => heard++);
      await store.entries.create([anEntry('a')]);
      end();
      end();
      await store.entries.create([anEntry('b')]);
      expect(heard).toBe(1);
      expect(await store.entries.count()).toBe(2);
    });

    it('hands over the change of a bundle only if it changed', async () => {
      await using store = await open();
      const bundle = aBundle('other.test');
      await store.bundles.put(bundle);
      const heard: StoreChange[] = [];
      store.watch((change) => heard.push(change));
      await store.bundles.update(bundle.trustDomain, (old) => old ?? bundle);
      expect(heard).toEqual([]);
    });
  });

  it('answers nothing after it is closed', async () => {
    const store = await open();
    await store.agents.save(anAgent('a'));
    await store.agents.get(anAgent('a').id);
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await expect(store.agents.get(anAgent('a').id)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.entries.count()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.entries.create([anEntry('a')])).rejects.toMatchObject({ code: 'unavailable' });
  });
}

function summary({ entries, agents, bundles }: StoreChange): string {
  const parts = [
    ['entries', ...entries.put.map((e) => `+${e.id}/${e.revision}`), ...entries.removed.map((id) => `-${id}`)],
    [
      'agents',
      ...agents.put.map((a) => `+${a.id.path.slice(-1)}:${a.serial}`),
      ...agents.removed.map((id) => `-${id}`),
    ],
    ['bundles', ...bundles.put.map((b) => `+${b.trustDomain.name}`), ...bundles.removed.map((name) => `-${name}`)],
  ];
  return parts
    .filter((part) => part.length > 1)
    .map((part) => part.join(' '))
    .join(', ');
}
