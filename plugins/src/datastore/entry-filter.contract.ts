import { type EntryFilter, parseSelector, type SelectorMatch } from '@steeple/core';
import { describe, expect, it } from 'vitest';
import { aBundle, anEntry, anId } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

const selectors = (...texts: string[]) => texts.map(parseSelector);

async function filled(open: () => Promise<Datastore>): Promise<Datastore> {
  const store = await open();
  for (const name of ['x.test', 'y.test', 'z.test']) await store.bundles.put(aBundle(name));
  await store.entries.create([
    anEntry('a', { selectors: selectors('s:1'), federatesWith: ['x.test'], hint: 'h' }),
    anEntry('ab', { selectors: selectors('s:1', 's:2'), federatesWith: ['y.test', 'x.test'], admin: true }),
    anEntry('abc', { selectors: selectors('s:1', 's:2', 's:3'), downstream: true, parentId: anId('/p') }),
    anEntry('d', { selectors: selectors('s:4'), federatesWith: ['z.test'] }),
  ]);
  return store;
}

export function entryFilterContract(open: () => Promise<Datastore>): void {
  describe('entry filters', () => {
    const cases: readonly [EntryFilter, string][] = [
      [{}, 'a ab abc d'],
      [{ spiffeId: anId('/workload/ab') }, 'ab'],
      [{ spiffeId: anId('/workload') }, ''],
      [{ parentId: anId('/p') }, 'abc'],
      [{ hint: 'h' }, 'a'],
      [{ hint: '' }, 'ab abc d'],
      [{ admin: true }, 'ab'],
      [{ admin: false }, 'a abc d'],
      [{ downstream: true }, 'abc'],
      [{ downstream: false }, 'a ab d'],
      [{ downstream: true, admin: true }, ''],
      [{ hint: undefined, admin: undefined }, 'a ab abc d'],
    ];
    it.each(cases)('%j selects "%s"', async (filter, expected) => {
      await using store = await filled(open);
      const { items } = await store.entries.list({ filter });
      expect(items.map(({ id }) => id).join(' ')).toBe(expected);
      expect(await store.entries.count(filter)).toBe(items.length);
    });

    const bySelectors: readonly [SelectorMatch, string, string][] = [
      ['exact', 's:1 s:2', 'ab'],
      ['exact', 's:2 s:1 s:2', 'ab'],
      ['exact', 's:2', ''],
      ['subset', 's:1 s:2', 'a ab'],
      ['subset', 's:4 s:5', 'd'],
      ['superset', 's:2 s:1', 'ab abc'],
      ['superset', 's:1 s:4', ''],
      ['any', 's:3 s:4 s:9', 'abc d'],
      ['any', 'S:3', ''],
    ];
    it.each(bySelectors)('%s of selectors %s selects "%s"', async (match, wanted, expected) => {
      await using store = await filled(open);
      const filter = { selectors: { selectors: selectors(...wanted.split(' ')), match } };
      const { items } = await store.entries.list({ filter });
      expect(items.map(({ id }) => id).join(' ')).toBe(expected);
      expect(await store.entries.count(filter)).toBe(items.length);
    });

    const byDomains: readonly [SelectorMatch, string[], string][] = [
      ['exact', ['y.test', 'x.test', 'y.test'], 'ab'],
      ['subset', ['x.test', 'z.test'], 'a d'],
      ['superset', ['x.test'], 'a ab'],
      ['any', ['x.test', 'z.test'], 'a ab d'],
      ['any', ['unknown.test'], ''],
    ];
    it.each(byDomains)('%s of trust domains %j selects "%s"', async (match, trustDomains, expected) => {
      await using store = await filled(open);
      const { items } = await store.entries.list({ filter: { federatesWith: { trustDomains, match } } });
      expect(items.map(({ id }) => id).join(' ')).toBe(expected);
    });

    it('combine, and page within what they select', async () => {
      await using store = await filled(open);
      const filter: EntryFilter = {
        selectors: { selectors: selectors('s:1'), match: 'superset' },
        federatesWith: { trustDomains: ['x.test'], match: 'any' },
      };
      const first = await store.entries.list({ filter, page: { size: 1, token: '' } });
      const second = await store.entries.list({ filter, page: { size: 1, token: first.nextToken } });
      expect([first, second].map(({ items }) => items.map(({ id }) => id))).toEqual([['a'], ['ab']]);
      expect(second.nextToken).toBe('');
    });

    it('refuse empty sets', async () => {
      await using store = await filled(open);
      const noSelectors = store.entries.list({ filter: { selectors: { selectors: [], match: 'any' } } });
      await expect(noSelectors).rejects.toMatchObject({ code: 'invalid-argument', message: 'empty selector set' });
      const noDomains = store.entries.count({ federatesWith: { trustDomains: [], match: 'exact' } });
      await expect(noDomains).rejects.toMatchObject({ code: 'invalid-argument', message: 'empty trust domain set' });
    });
  });
}
