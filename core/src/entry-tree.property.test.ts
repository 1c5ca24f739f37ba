import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistrationEntry } from './entry.ts';
import { AGENT, entry, idsFor, td } from './entry-tree.fixture.ts';
import { concerns, EntryTree } from './entry-tree.ts';
import { isSubset, parseSelector } from './selector.ts';

describe('EntryTree against a plain reading of the rules', () => {
  const path = fc.constantFrom('/a', '/b', '/c', '/d');
  const parent = fc.oneof(path, fc.constantFrom(AGENT, '/spire/agent/y', '/spire/server'));
  const selectors = fc.uniqueArray(fc.constantFrom('n:1', 'n:2', 'n:3'), { minLength: 1, maxLength: 2 });
  const change = fc.record({
    id: fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8'),
    parent,
    path,
    selectors,
    remove: fc.boolean(),
  });

  it('agrees, whatever was put and removed', () => {
    const agentSelectors = fc.uniqueArray(fc.constantFrom('n:1', 'n:2', 'n:3'));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), agentSelectors, (changes, have) => {
        const tree = new EntryTree(td);
        const all = new Map<string, RegistrationEntry>();
        for (const { id, remove, ...rest } of changes) {
          if (remove) {
            tree.remove(id);
            all.delete(id);
          } else {
            const item = entry(id, rest.parent, rest.path, rest.selectors);
            tree.put(item);
            all.set(id, item);
          }
        }
        const expected = plainlyAuthorized([...all.values()], AGENT, have);
        expect(idsFor(tree, AGENT, have)).toEqual(expected);
        const parsed = have.map(parseSelector);
        for (const item of all.values()) {
          const found = tree.authorizedEntry(AGENT, parsed, item.id);
          expect([item.id, found?.id]).toEqual([item.id, expected.includes(item.id) ? item.id : undefined]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reaches every agent whose entries a change alters', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 15 }), change, (changes, last) => {
        const tree = new EntryTree(
          td,
          changes.map((c) => entry(c.id, c.parent, c.path, c.selectors)),
        );
        const agents: [string, string[]][] = [
          [AGENT, []],
          ['/spire/agent/y', ['n:1']],
          ['/spire/agent/z', ['n:1', 'n:2']],
        ];
        const before = agents.map(([agent, have]) => idsFor(tree, agent, have));
        const item = entry(last.id, last.parent, last.path, last.selectors);
        const old = tree.get(last.id);
        const reaches = old === undefined ? [] : [tree.reach(old)];
        tree.put(item);
        reaches.push(tree.reach(item));
        agents.forEach(([agent, have], index) => {
          if (JSON.stringify(idsFor(tree, agent, have)) === JSON.stringify(before[index])) return;
          expect(reaches.some((reach) => concerns(reach, agent, have.map(parseSelector)))).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });
});

/** The rules of SPIRE as a fixpoint over sets, without any index. */
function plainlyAuthorized(entries: RegistrationEntry[], agent: string, have: string[]): string[] {
  const isAliasEntry = (e: RegistrationEntry) => e.parentId.path === '/spire/server';
  const own = have.map(parseSelector);
  const reached = new Set([
    agent,
    ...entries.filter((e) => isAliasEntry(e) && isSubset(e.selectors, own)).map((e) => e.spiffeId.path),
  ]);
  for (let size = -1; size !== reached.size; ) {
    size = reached.size;
    for (const e of entries) if (!isAliasEntry(e) && reached.has(e.parentId.path)) reached.add(e.spiffeId.path);
  }
  return entries
    .filter((e) => !isAliasEntry(e) && reached.has(e.parentId.path))
    .map((e) => e.id)
    .toSorted();
}
