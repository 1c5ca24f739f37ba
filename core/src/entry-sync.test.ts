import { SpiffeId } from '@steeple/spiffe';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draftEntry, type RegistrationEntry } from './entry.ts';
import {
  answerSyncRequest,
  checkFirstSyncRequest,
  chunkIds,
  diffRevisions,
  type EntryRevision,
  planSync,
} from './entry-sync.ts';
import { parseSelector } from './selector.ts';

const spiffeId = SpiffeId.parse('spiffe://example.org/w');
const entry = (id: string, revision = 0, createdAt = 0): RegistrationEntry => ({
  ...draftEntry({ spiffeId, parentId: spiffeId, selectors: [parseSelector('a:1')] }),
  id,
  revision,
  createdAt,
});
const entries = (count: number) => Array.from({ length: count }, (_, i) => entry(String(i)));

describe('planSync', () => {
  it('sends few entries whole, also none', () => {
    expect(planSync([])).toEqual({ kind: 'entries', entries: [] });
    const all = entries(500);
    expect(planSync(all)).toEqual({ kind: 'entries', entries: all });
  });

  it('sends revisions of many, and marks only the last page as such', () => {
    const plan = planSync(entries(1001));
    if (plan.kind !== 'revisions') throw new Error('expected revisions');
    expect(plan.pages.map((page) => [page.items.length, page.more])).toEqual([
      [500, true],
      [500, true],
      [1, false],
    ]);
    expect(plan.pages[0]?.items[0]).toEqual({ id: '0', revision: 0, createdAt: 0 });
  });

  it('has no empty last page when the pages are full', () => {
    const plan = planSync(entries(1000));
    if (plan.kind !== 'revisions') throw new Error('expected revisions');
    expect(plan.pages.map((page) => page.more)).toEqual([true, false]);
  });
});

describe('answerSyncRequest', () => {
  const byId = new Map(entries(1200).map((each) => [each.id, each]));

  it('answers always, also with nothing', () => {
    expect(answerSyncRequest(byId, [])).toEqual([{ items: [], more: false }]);
    expect(answerSyncRequest(byId, ['unknown', '__proto__'])).toEqual([{ items: [], more: false }]);
  });

  it('sends each entry once, in pages', () => {
    const ids = [...byId.keys(), ...byId.keys(), 'unknown'];
    const pages = answerSyncRequest(byId, ids);
    expect(pages.map((page) => [page.items.length, page.more])).toEqual([
      [500, true],
      [500, true],
      [200, false],
    ]);
  });
});

describe('checkFirstSyncRequest', () => {
  it('refuses what the first request must not say', () => {
    checkFirstSyncRequest([], true);
    expect(() => checkFirstSyncRequest(['1'], true)).toThrow('specifying IDs on initial request is not supported');
    expect(() => checkFirstSyncRequest([], false)).toThrow('revision number cannot be masked');
  });
});

describe('a client that follows diffRevisions', () => {
  it('ends with the entries of the server', () => {
    const revision = fc.record({ id: fc.constantFrom('1', '2', '3', '4'), revision: fc.nat(2), createdAt: fc.nat(1) });
    const list = fc.uniqueArray(revision, { selector: (r) => r.id });
    fc.assert(
      fc.property(list, list, (known, current) => {
        const { stale, removed } = diffRevisions(known, current);
        const state = new Map(known.map((r): [string, EntryRevision] => [r.id, r]));
        for (const id of removed) state.delete(id);
        for (const r of current) if (stale.includes(r.id)) state.set(r.id, r);
        const sorted = (all: Iterable<EntryRevision>) => [...all].toSorted((a, b) => Number(a.id) - Number(b.id));
        expect(sorted(state.values())).toEqual(sorted(current));
        for (const r of known) {
          const same = current.some((c) => c.id === r.id && c.revision === r.revision && c.createdAt === r.createdAt);
          if (same) expect(stale).not.toContain(r.id);
        }
      }),
    );
  });

  it('fetches again what has an older revision, or was made anew', () => {
    expect(diffRevisions([entry('1', 5)], [entry('1', 4)]).stale).toEqual(['1']);
    expect(diffRevisions([entry('1', 0, 1)], [entry('1', 0, 2)]).stale).toEqual(['1']);
  });
});

describe('chunkIds', () => {
  it('cuts', () => {
    expect(chunkIds(['a', 'b', 'c'], 2)).toEqual([['a', 'b'], ['c']]);
    expect(chunkIds([], 2)).toEqual([]);
    expect(chunkIds(['a', 'b'], 0)).toEqual([['a'], ['b']]);
  });
});
