import { parseSelector } from '@steeple/core';
import { FakeClock, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, expect, it } from 'vitest';
import { entryOf, turn } from '../testing/fixtures.ts';
import { viewsOf } from './caller-views.ts';
import { IdentityCache } from './identity-cache.ts';
import type { Attested } from './workload-attestation.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });
const unix = [parseSelector('unix:uid:1')];
const both = [...unix, parseSelector('docker:label:app:web')];
const anyUser = entryOf(domain, 'z-any', { selectors: ['unix:uid:1'] });
const special = entryOf(domain, 'a-special', { selectors: ['unix:uid:1', 'docker:label:app:web'] });

let cache: IdentityCache;
let abort: AbortController;
let answer: PromiseWithResolvers<Attested>;
let shown: string[];

beforeEach(() => {
  cache = new IdentityCache(domain.trustDomain, clock.now);
  cache.apply({ bundles: [domain.bundle], entries: [anyUser] });
  cache.markSynced();
  abort = new AbortController();
  answer = Promise.withResolvers();
  shown = [];
  return () => abort.abort();
});

/** Of a caller about whom docker has not said anything yet. */
async function follow(): Promise<void> {
  const rest = { types: new Set(['docker']), attested: answer.promise };
  for await (const { entries } of viewsOf(cache, { selectors: unix, signal: abort.signal, rest })) {
    shown.push(entries.map(({ id }) => id).join());
  }
}

it('shows at once what no missing answer could change, and no change when the answer is empty', async () => {
  void follow();
  await turn();
  expect(shown).toEqual(['z-any']);
  answer.resolve({ selectors: unix, failed: ['docker'] });
  await turn();
  expect(shown).toEqual(['z-any']);
  cache.apply({ removedEntries: ['z-any'] });
  await turn();
  expect(shown).toEqual(['z-any', '']);
});

it('holds a new state back in which a part could be missing, until the answer is there', async () => {
  void follow();
  await turn();
  cache.apply({ entries: [special, entryOf(domain, 'y', { selectors: ['unix:uid:1'] })] });
  await turn();
  expect(shown).toEqual(['z-any']);
  answer.resolve({ selectors: both, failed: [] });
  await turn();
  expect(shown).toEqual(['z-any', 'a-special,y,z-any']);
});

it('counts the later facts from then on', async () => {
  void follow();
  answer.resolve({ selectors: both, failed: [] });
  await turn();
  cache.apply({ entries: [special] });
  await turn();
  expect(shown).toEqual(['z-any', 'a-special,z-any']);
});

it('ends with its signal, before the answer and after it', async () => {
  const first = follow();
  await turn();
  abort.abort();
  await first;
  abort = new AbortController();
  const second = follow();
  answer.resolve({ selectors: both, failed: [] });
  await turn();
  abort.abort();
  await second;
  expect(shown).toEqual(['z-any', 'z-any']);
});
