// Entries and questions for the tests of the entry tree.
import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { draftEntry, type RegistrationEntry } from './entry.ts';
import type { EntryTree } from './entry-tree.ts';
import { parseSelector } from './selector.ts';

export const td = TrustDomain.parse('example.org');
export const AGENT = '/spire/agent/x';

export function entry(
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

export const idsFor = (tree: EntryTree, agent = AGENT, selectors: string[] = []) =>
  tree
    .authorized(agent, selectors.map(parseSelector))
    .map((each) => each.id)
    .toSorted();
