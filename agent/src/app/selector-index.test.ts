import { TestTrustDomain } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { entryOf } from '../testing/fixtures.ts';
import { SelectorIndex } from './selector-index.ts';

const domain = await TestTrustDomain.create('a.test');
const ids = (index: SelectorIndex, ...keys: string[]) => index.matching(new Set(keys)).map(({ id }) => id);

it('finds exactly the entries whose selectors the workload has all of, sorted by id', () => {
  const index = new SelectorIndex();
  index.put(entryOf(domain, 'b', { selectors: ['unix:uid:1', 'unix:path:/x'] }));
  index.put(entryOf(domain, 'a', { selectors: ['unix:uid:1'] }));
  index.put(entryOf(domain, 'c', { selectors: ['unix:uid:2'] }));
  expect(ids(index, 'unix:uid:1', 'unix:path:/x', 'unix:gid:9')).toEqual(['a', 'b']);
  expect(ids(index, 'unix:uid:1')).toEqual(['a']);
  expect(ids(index, 'unix:path:/x')).toEqual([]);
});

it('gives an entry without selectors to nobody', () => {
  const index = new SelectorIndex();
  expect(index.put(entryOf(domain, 'all', { selectors: [] }))).toBeUndefined();
  expect(ids(index)).toEqual([]);
  expect(ids(index, 'unix:uid:1')).toEqual([]);
});

it('forgets the old selectors of an entry that got others', () => {
  const index = new SelectorIndex();
  index.put(entryOf(domain, 'a', { selectors: ['unix:uid:1'] }));
  index.put(entryOf(domain, 'a', { selectors: ['unix:uid:2'] }));
  expect(ids(index, 'unix:uid:1')).toEqual([]);
  expect(ids(index, 'unix:uid:2')).toEqual(['a']);
  expect(index.remove('a')).toBe('unix:uid:2');
  expect(index.remove('a')).toBeUndefined();
  expect(ids(index, 'unix:uid:2')).toEqual([]);
});

it('does not mistake a value with a colon for another type', () => {
  const index = new SelectorIndex();
  index.put(entryOf(domain, 'a', { selectors: ['unix:uid:1:2'] }));
  expect(ids(index, 'unix:uid:1', 'unix:2')).toEqual([]);
});

it('knows whether more selectors of a type could complete an entry', () => {
  const index = new SelectorIndex();
  const could = (types: string[], ...keys: string[]) => index.couldMatch(new Set(keys), new Set(types));
  index.put(entryOf(domain, 'a', { selectors: ['unix:uid:1', 'docker:label:x:y'] }));
  expect(could(['docker'], 'unix:uid:1')).toBe(true);
  expect(could(['docker'], 'unix:uid:2')).toBe(false);
  expect(could(['docker', 'unix'])).toBe(true);
  expect(could(['k8s'], 'unix:uid:1', 'docker:label:x:y')).toBe(false);
  index.remove('a');
  expect(could(['docker'], 'unix:uid:1')).toBe(false);
  index.put(entryOf(domain, 'b', { selectors: ['docker:label:x:y'] }));
  expect(could(['docker'])).toBe(true);
});
