import { describe, expect, it } from 'vitest';
import { AGENT, entry, idsFor, td } from './entry-tree.fixture.ts';
import { concerns, EntryTree } from './entry-tree.ts';
import { parseSelector } from './selector.ts';

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
