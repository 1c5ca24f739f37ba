import { SpiffeId } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { draftEntry, type EntryDraft, similarityKey } from '../entry.ts';
import { planEntries } from './entry-plan.ts';
import { isOwnEntryId, ownershipRecordId } from './ownership.ts';

const draft = (path: string, more: Partial<EntryDraft> = {}) =>
  draftEntry({
    spiffeId: SpiffeId.parse(`spiffe://example.org${path}`),
    parentId: SpiffeId.parse('spiffe://example.org/p'),
    selectors: [{ type: 'k8s', value: 'pod-uid:1' }],
    ...more,
  });
const stored = (id: string, of: EntryDraft) => [similarityKey(of), { ...of, id, revision: 0, createdAt: 1 }] as const;
const plan = (current: Parameters<typeof planEntries>[0], ...declared: readonly (readonly [EntryDraft, number])[]) =>
  planEntries(
    current,
    declared.map(([one, by]) => ({ draft: one, by })),
    (a, b) => a - b,
  );

describe('planEntries', () => {
  it('creates, updates, keeps and removes', () => {
    const made = plan(
      [
        stored('same', draft('/same', { federatesWith: ['a', 'b'] })),
        stored('other', draft('/other')),
        stored('gone', draft('/gone')),
      ],
      [draft('/same', { federatesWith: ['b', 'a'] }), 1],
      [draft('/other', { dnsNames: ['x'] }), 1],
      [draft('/new'), 1],
    );
    expect(made.create.map((one) => one.draft.spiffeId.path)).toEqual(['/new']);
    expect(made.update.map((one) => one.old.id)).toEqual(['other']);
    expect(made.keep.map((one) => one.entry.id)).toEqual(['same']);
    expect(made.remove.map(({ id }) => id)).toEqual(['gone']);
  });

  it('lets the first of several count, and removes what is there twice', () => {
    const made = plan(
      [stored('a', draft('/x')), stored('b', draft('/x'))],
      [draft('/x', { hint: 'late' }), 2],
      [draft('/x', { hint: 'early' }), 1],
    );
    expect(made.update.map((one) => one.declared.draft.hint)).toEqual(['early']);
    expect(made.masked.map((one) => one.draft.hint)).toEqual(['late']);
    expect(made.remove.map(({ id }) => id)).toEqual(['b']);
  });

  it('tells owners apart, also where one prefix begins like another', () => {
    expect(isOwnEntryId('k8s', 'k8s.1')).toBe(true);
    expect(isOwnEntryId('k8s', 'k8s.prod.1')).toBe(false);
    expect(isOwnEntryId('k8s', 'k8sx.1')).toBe(false);
    expect(isOwnEntryId('k8s', ownershipRecordId('k8s'))).toBe(false);
  });
});
