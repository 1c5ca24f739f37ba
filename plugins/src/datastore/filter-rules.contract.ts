// A datastore selects with its own means, such as SQL; core says what a filter means. Here one is held to the other.
import {
  type AgentFilter,
  type AgentRecord,
  type EntryFilter,
  matchesAgent,
  matchesEntry,
  parseSelector,
  type RegistrationEntry,
} from '@steeple/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aBundle, anAgent, anEntry, anId } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

const DOMAINS = ['x.test', 'y.test', 'z.test'];
// Few values, so that records and filters meet often; some that SQL could take for something else.
const selector = fc.constantFrom('s:1', 's:2', 's:3', 'S:1', 's:%', "s:'", 's:1:2', 's: ').map(parseSelector);
const text = fc.constantFrom('', 'h', 'H', '%', "'");
const path = fc.constantFrom('/a', '/b', '/a/b');
const match = fc.constantFrom('exact', 'subset', 'superset', 'any');

const entryParts = fc.record({
  spiffeId: path.map(anId),
  parentId: path.map(anId),
  selectors: fc.uniqueArray(selector, { minLength: 1, maxLength: 4 }),
  federatesWith: fc.subarray(DOMAINS),
  hint: text,
  admin: fc.boolean(),
  downstream: fc.boolean(),
});
const selectorFilter = fc.record({ selectors: fc.array(selector, { minLength: 1, maxLength: 4 }), match });
const entryFilter: fc.Arbitrary<EntryFilter> = upToTwoOf({
  spiffeId: path.map(anId),
  parentId: path.map(anId),
  selectors: selectorFilter,
  federatesWith: fc.record({ trustDomains: fc.array(fc.constantFrom(...DOMAINS), { minLength: 1 }), match }),
  hint: text,
  admin: fc.boolean(),
  downstream: fc.boolean(),
});

const agentParts = fc.record({
  attestationType: fc.constantFrom('join_token', 'x509pop', 'X509POP'),
  expiresAt: fc.constantFrom(0, 10, 10.5, 20),
  canReattest: fc.boolean(),
  selectors: fc.uniqueArray(selector, { maxLength: 4 }),
});
const agentFilter: fc.Arbitrary<AgentFilter> = upToTwoOf({
  attestationType: fc.constantFrom('join_token', 'x509pop', ''),
  selectors: selectorFilter,
  banned: fc.boolean(),
  canReattest: fc.boolean(),
  expiresBefore: fc.constantFrom(0, 10, 10.25, 100),
});

const many = { minLength: 1, maxLength: 12 };
const filters = <T>(filter: fc.Arbitrary<T>) => fc.array(filter, { minLength: 5, maxLength: 20 });

/** `list` and `count` select what core's rules select, whatever is stored and asked. */
export function filterRulesContract(open: () => Promise<Datastore>): void {
  describe('filters as core has them', () => {
    it('for entries', async () => {
      let selected = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(entryParts, many), filters(entryFilter), async (parts, wanted) => {
          await using store = await open();
          for (const name of DOMAINS) await store.bundles.put(aBundle(name));
          await store.entries.create(parts.map((part, index) => anEntry(String(index), part)));
          const all = (await store.entries.list()).items;
          for (const filter of wanted) {
            const expected = all.filter((entry) => matchesEntry(entry, filter)).map(({ id }) => id);
            expect((await store.entries.list({ filter })).items.map(idOfEntry)).toEqual(expected);
            expect(await store.entries.count(filter)).toBe(expected.length);
            selected += expected.length;
          }
        }),
        { numRuns: 60 },
      );
      expect(selected).toBeGreaterThan(100);
    });

    it('for agents', async () => {
      let selected = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(agentParts, fc.boolean()), many),
          filters(agentFilter),
          async (parts, wanted) => {
            await using store = await open();
            for (const [index, [part, banned]] of parts.entries()) {
              const agent = anAgent(String(index), part);
              await store.agents.save(agent);
              if (banned) await store.agents.ban(agent.id);
            }
            const all = await store.agents.loadAll();
            for (const filter of wanted) {
              const expected = all.filter((agent) => matchesAgent(agent, filter)).map(idOfAgent);
              expect((await store.agents.list({ filter })).items.map(idOfAgent)).toEqual(expected);
              expect(await store.agents.count(filter)).toBe(expected.length);
              selected += expected.length;
            }
          },
        ),
        { numRuns: 60 },
      );
      expect(selected).toBeGreaterThan(100);
    });
  });
}

const idOfEntry = ({ id }: RegistrationEntry): string => id;
const idOfAgent = ({ id }: AgentRecord): string => id.toString();

/** More conditions would select nothing most of the time. */
function upToTwoOf<T extends object>(conditions: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  const keys = Object.keys(conditions) as (keyof T)[];
  return fc
    .tuple(fc.record(conditions), fc.subarray(keys, { maxLength: 2 }))
    .map(([all, chosen]) => Object.fromEntries(chosen.map((key) => [key, all[key as keyof typeof all]])) as Partial<T>);
}
