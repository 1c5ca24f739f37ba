import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draftEntry, type RegistrationEntry } from './entry.ts';
import { concerns, EntryTree } from './entry-tree.ts';
import { isSubset, parseSelector } from './selector.ts';

const td = TrustDomain.parse('example.org');
const AGENT = '/spire/agent/x';

function entry(
  id: string,
  parent: string,
  path: string,
  selectors = ['a:1'],
  domain = 'example.org',
): RegistrationEntry {
  const draft = draftEntry({
    spiffeId: SpiffeId.parse(`spiffe://${domain}${path}`),
    parentId: SpiffeId.parse(`spiffe://example.org${parent}`),
    selectors: selectors.map(parseSelector),
  });
  return { ...draft, id, revision: 0, createdAt: 0 };
}

const idsFor = (tree: EntryTree, agent = AGENT, selectors: string[] = []) =>
  tree
    .authorized(agent, selectors.map(parseSelector))
    .map((each) => each.id)
    .toSorted();

describe('EntryTree.authorized', () => {
  it('gives what hangs on the agent, directly and through other entries', () => {
    const tree = new EntryTree(td, [
      entry('1', AGENT, '/a'),
      entry('2', '/a', '/b'),
      entry('3', '/b', '/c'),
      entry('4', '/unrelated', '/d'),
      entry('5', '/spire/agent/y', '/e'),
    ]);
    expect(idsFor(tree)).toEqual(['1', '2', '3']);
    expect(idsFor(tree, '/spire/agent/y')).toEqual(['5']);
    expect(idsFor(tree, '/spire/agent/z')).toEqual([]);
  });

  it('goes through aliases of the agent without handing them out', () => {
    const tree = new EntryTree(td, [
      entry('alias', '/spire/server', '/group', ['k8s:cluster:one', 'k8s:zone:a']),
      entry('other', '/spire/server', '/others', ['k8s:cluster:two']),
      entry('1', '/group', '/a'),
      entry('2', '/others', '/b'),
    ]);
    expect(idsFor(tree, AGENT, ['k8s:cluster:one', 'k8s:zone:a', 'x:y'])).toEqual(['1']);
    expect(idsFor(tree, AGENT, ['k8s:cluster:one'])).toEqual([]);
    expect(idsFor(tree, AGENT, [])).toEqual([]);
  });

  it('does not let an alias without selectors stand for everybody', () => {
    const tree = new EntryTree(td, [entry('alias', '/spire/server', '/group', []), entry('1', '/group', '/a')]);
    expect(idsFor(tree, AGENT, ['a:1'])).toEqual([]);
    expect(concerns(tree.reach(entry('1', '/group', '/a')), AGENT, [])).toBe(false);
  });

  it('survives cycles, entries that are their own parent, and several entries of one id', () => {
    const tree = new EntryTree(td, [
      entry('1', AGENT, '/a'),
      entry('2', '/a', '/b'),
      entry('3', '/b', '/a'),
      entry('4', '/b', '/b'),
      entry('5', '/a', '/b'),
      entry('6', '/loop', '/loop'),
    ]);
    expect(idsFor(tree)).toEqual(['1', '2', '3', '4', '5']);
    expect(tree.reach(entry('6', '/loop', '/loop')).paths).toEqual(new Set(['/loop']));
  });

  it('ignores entries that leave the trust domain, but keeps them', () => {
    const foreign = entry('1', AGENT, '/a', ['a:1'], 'other.org');
    const tree = new EntryTree(td, [foreign, entry('2', '/a', '/b')]);
    expect(idsFor(tree)).toEqual([]);
    expect(tree.get('1')).toBe(foreign);
    expect(tree.authorizedEntry(AGENT, [], '1')).toBeUndefined();
    expect(tree.reach(foreign)).toEqual({ paths: new Set(), aliases: [] });
    expect(tree.remove('1')).toBe(foreign);
    expect(tree.size).toBe(1);
  });

  it('does not confuse a path with one that begins like it', () => {
    const tree = new EntryTree(td, [entry('1', `${AGENT}y`, '/a'), entry('2', '/spire/agent', '/b')]);
    expect(idsFor(tree)).toEqual([]);
  });
});

describe('EntryTree.put and remove', () => {
  it('replaces: the old parent loses the entry', () => {
    const tree = new EntryTree(td, [entry('1', AGENT, '/a'), entry('2', '/a', '/b')]);
    const old = tree.put(entry('1', '/spire/agent/y', '/a'));
    expect(old?.parentId.path).toBe(AGENT);
    expect(idsFor(tree)).toEqual([]);
    expect(idsFor(tree, '/spire/agent/y')).toEqual(['1', '2']);
    expect(tree.size).toBe(2);
  });

  it('turns an entry into an alias and back', () => {
    const tree = new EntryTree(td, [entry('1', AGENT, '/g', ['n:1']), entry('2', '/g', '/b')]);
    tree.put(entry('1', '/spire/server', '/g', ['n:1']));
    expect(idsFor(tree)).toEqual([]);
    expect(idsFor(tree, AGENT, ['n:1'])).toEqual(['2']);
    expect(tree.authorizedEntry(AGENT, [parseSelector('n:1')], '1')).toBeUndefined();
    tree.put(entry('1', AGENT, '/g', ['n:1']));
    expect(idsFor(tree)).toEqual(['1', '2']);
  });

  it('forgets', () => {
    const tree = new EntryTree(td, [entry('1', AGENT, '/a')]);
    expect(tree.remove('1')?.id).toBe('1');
    expect(tree.remove('1')).toBeUndefined();
    expect(tree.size).toBe(0);
    expect(idsFor(tree)).toEqual([]);
    expect([...tree.entries()]).toEqual([]);
  });
});

describe('EntryTree.reach', () => {
  it('names the agents and aliases above an entry', () => {
    const alias = entry('alias', '/spire/server', '/group', ['n:1']);
    const tree = new EntryTree(td, [alias, entry('1', '/group', '/a'), entry('2', AGENT, '/a')]);
    const leaf = entry('new', '/a', '/leaf');
    const reach = tree.reach(leaf);
    expect(reach.paths).toContain(AGENT);
    expect(reach.aliases).toEqual([alias]);
    expect(concerns(reach, AGENT, [])).toBe(true);
    expect(concerns(reach, '/spire/agent/y', [parseSelector('n:1'), parseSelector('n:2')])).toBe(true);
    expect(concerns(reach, '/spire/agent/y', [parseSelector('n:2')])).toBe(false);
  });

  it('names the agents of an alias that comes or goes', () => {
    const tree = new EntryTree(td);
    const reach = tree.reach(entry('alias', '/spire/server', '/group', ['n:1']));
    expect(concerns(reach, AGENT, [parseSelector('n:1')])).toBe(true);
    expect(concerns(reach, AGENT, [])).toBe(false);
  });
});

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

describe('EntryTree with 100,000 entries', () => {
  it('does not walk through all of them for one', () => {
    const tree = new EntryTree(td);
    for (let i = 0; i < 100_000; i++)
      tree.put(entry(String(i), i % 2 === 0 ? AGENT : `/spire/agent/${i % 1000}`, `/w/${i}`));
    expect(tree.size).toBe(100_000);
    expect(tree.authorized(AGENT, [])).toHaveLength(50_000);
    for (let i = 0; i < 20_000; i++) {
      tree.put(entry(String(i), '/spire/agent/new', `/w/${i}`));
      tree.remove(String(99_999 - i));
    }
    expect(tree.size).toBe(80_000);
    expect(tree.authorized('/spire/agent/new', [])).toHaveLength(20_000);
  });

  it('follows a chain as deep as there are entries', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) =>
      entry(String(i), i === 0 ? AGENT : `/w/${i - 1}`, `/w/${i}`),
    );
    const tree = new EntryTree(td, chain);
    expect(tree.authorized(AGENT, [])).toHaveLength(50_000);
    expect(tree.authorizedEntry(AGENT, [], '49999')?.id).toBe('49999');
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
