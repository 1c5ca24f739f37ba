import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dedupeSelectors,
  formatSelector,
  isSubset,
  matchSelectors,
  parseSelector,
  type Selector,
  type SelectorMatch,
  selectorSet,
  sortSelectors,
} from './selector.ts';
import { SelectorIndex } from './selector-index.ts';

const s = (...texts: string[]) => texts.map(parseSelector);

describe('parseSelector', () => {
  it.each([
    ['unix:uid:1000', 'unix', 'uid:1000'],
    ['a:1', 'a', '1'],
    ['k8s:pod-label:app:web', 'k8s', 'pod-label:app:web'],
    ['a::', 'a', ':'],
  ])('%s', (text, type, value) => {
    expect(parseSelector(text)).toEqual({ type, value });
    expect(formatSelector(parseSelector(text))).toBe(text);
  });

  it.each([
    ['', 'selector must have the form type:value'],
    ['unix', 'selector must have the form type:value'],
    [':x', 'missing selector type'],
    ['unix:', 'missing selector value'],
    [':', 'missing selector type'],
  ])('refuses %j', (text, message) => {
    expect(() => parseSelector(text)).toThrow(message);
  });
});

describe('sorting and removing repetitions', () => {
  it('orders by type, then value, and leaves the input alone', () => {
    const given = s('b:1', 'a:2', 'a:10', 'b:1');
    expect(sortSelectors(given).map(formatSelector)).toEqual(['a:10', 'a:2', 'b:1', 'b:1']);
    expect(dedupeSelectors(given).map(formatSelector)).toEqual(['b:1', 'a:2', 'a:10']);
    expect(given.map(formatSelector)).toEqual(['b:1', 'a:2', 'a:10', 'b:1']);
  });
});

describe('matchSelectors', () => {
  const cases: [string[], string[], SelectorMatch[]][] = [
    [
      ['a:1', 'b:2'],
      ['b:2', 'a:1'],
      ['exact', 'subset', 'superset', 'any'],
    ],
    [['a:1'], ['a:1', 'b:2'], ['subset', 'any']],
    [['a:1', 'b:2'], ['a:1'], ['superset', 'any']],
    [['a:1', 'b:2'], ['b:2', 'c:3'], ['any']],
    [['a:1'], ['b:2'], []],
    [['a:1', 'a:1'], ['a:1'], ['exact', 'subset', 'superset', 'any']],
    [[], ['a:1'], []],
  ];
  it.each(cases)('%j against %j: %j', (have, wanted, matches) => {
    for (const match of ['exact', 'subset', 'superset', 'any'] as const) {
      expect([match, matchSelectors(s(...have), s(...wanted), match)]).toEqual([match, matches.includes(match)]);
    }
  });
});

const selector = fc.record({ type: fc.constantFrom('a', 'b'), value: fc.constantFrom('1', '2', '3') });
const selectors = fc.array(selector, { maxLength: 5 });

describe('isSubset', () => {
  it('accepts a list and a prepared set alike', () => {
    fc.assert(
      fc.property(selectors, selectors, (a, b) => {
        expect(isSubset(a, selectorSet(b))).toBe(isSubset(a, b));
        expect(isSubset(a, [...a, ...b])).toBe(true);
      }),
    );
  });
});

describe('SelectorIndex', () => {
  it('finds what a look at every item finds, through any changes', () => {
    const change = fc.record({ id: fc.constantFrom('1', '2', '3', '4', '5', '6'), selectors, remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), selectors, (changes, have) => {
        const index = new SelectorIndex<{ id: string; selectors: Selector[] }>();
        const all = new Map<string, { id: string; selectors: Selector[] }>();
        for (const { remove, ...item } of changes) {
          if (remove) {
            index.remove(item.id);
            all.delete(item.id);
          } else {
            index.put(item);
            all.set(item.id, item);
          }
        }
        const expected = [...all.values()].filter((i) => i.selectors.length > 0 && isSubset(i.selectors, have));
        const byId = (a: { id: string }, b: { id: string }) => Number(a.id) - Number(b.id);
        expect(index.matching(have).toSorted(byId)).toEqual(expected.toSorted(byId));
        expect(index.size).toBe([...all.values()].filter((i) => i.selectors.length > 0).length);
      }),
    );
  });

  it('does not walk through items of a common selector when a rarer one decides', () => {
    const index = new SelectorIndex<{ id: string; selectors: Selector[] }>();
    let looked = 0;
    for (let i = 0; i < 10_000; i++) {
      const own = s('unix:uid:0', `unix:path:/bin/${i}`);
      index.put({
        id: String(i),
        get selectors() {
          looked += 1;
          return own;
        },
      });
    }
    looked = 0;
    expect(index.matching(s('unix:uid:0', 'unix:path:/bin/7')).map((i) => i.id)).toEqual(['7']);
    expect(looked).toBeLessThan(5);
  });
});
