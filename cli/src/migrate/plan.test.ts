import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { types } from '@steeple/proto/server-api';
import { describe, expect, it } from 'vitest';
import { planMigration } from './plan.ts';
import type { Side } from './read-side.ts';
import { planText } from './show-plan.ts';
import type { Step } from './step.ts';

const NOW = 1_000_000;
const td = 'example.org';
type EntryInit = Exclude<MessageInitShape<typeof types.EntrySchema>, types.Entry>;

const entry = (id: string, more: EntryInit = {}): types.Entry =>
  create(types.EntrySchema, {
    id,
    spiffeId: { trustDomain: td, path: `/${id}` },
    parentId: { trustDomain: td, path: '/parent' },
    selectors: [{ type: 'unix', value: 'uid:1' }],
    ...more,
  });

const side = (parts: Partial<Side> = {}): Side => ({
  trustDomain: td,
  own: create(types.BundleSchema, { trustDomain: td }),
  bundles: new Map(),
  relationships: new Map(),
  entries: [],
  ...parts,
});

const entriesOf = (from: readonly types.Entry[], to: readonly types.Entry[] = []): readonly Step<types.Entry>[] =>
  planMigration(side({ entries: from }), side({ entries: to }), NOW).entries;

const decide = (from: types.Entry, ...to: types.Entry[]): [string, string | undefined] => {
  const [step] = entriesOf([from], to);
  return [step?.action ?? '', step?.why];
};

describe('entries', () => {
  it('are created, updated or left, by their ID', () => {
    expect(decide(entry('a'))).toEqual(['create', undefined]);
    expect(decide(entry('a'), entry('a'))).toEqual(['keep', undefined]);
    expect(decide(entry('a', { revisionNumber: 7n, createdAt: 5n }), entry('a'))).toEqual(['keep', undefined]);
    expect(decide(entry('a', { hint: 'new', x509SvidTtl: 60 }), entry('a'))).toEqual([
      'update',
      'X509-SVID TTL: 0 → 60, hint: none → new',
    ]);
  });

  it('are the same whatever the order of selectors and trust domains, but not of DNS names', () => {
    const [one, two] = [
      { type: 'unix', value: 'uid:1' },
      { type: 'unix', value: 'gid:2' },
    ];
    const old = entry('a', {
      selectors: [one, two],
      federatesWith: ['b.test', 'spiffe://c.test'],
      dnsNames: ['x', 'y'],
    });
    const content = { selectors: [two, one, two], federatesWith: ['c.test', 'b.test'], dnsNames: ['x', 'y'] };
    expect(decide(entry('a', content), old)[0]).toBe('keep');
    expect(decide(entry('a', { ...content, dnsNames: ['y', 'x'] }), old)).toEqual(['update', 'DNS names: x y → y x']);
  });

  it('that are here under another ID are left, or refused when they differ', () => {
    const there = entry('other', { spiffeId: { trustDomain: td, path: '/a' } });
    expect(decide(entry('a'), there)).toEqual(['keep', 'here it is other']);
    expect(decide(entry('a', { hint: 'x' }), there)[0]).toBe('refuse');
  });

  it('of the same content are taken once', () => {
    const twin = entry('b', { spiffeId: { trustDomain: td, path: '/a' } });
    expect(entriesOf([entry('a'), twin]).map(({ action }) => action)).toEqual(['create', 'refuse']);
  });

  it('that expired, or name a used join token, stay behind', () => {
    expect(decide(entry('a', { expiresAt: BigInt(NOW) }))).toEqual(['keep', 'expired']);
    const parentId = { trustDomain: td, path: '/spire/agent/join_token/x' };
    const named = entry('a', {
      parentId,
      selectors: [{ type: 'spiffe_id', value: `spiffe://${td}/spire/agent/join_token/x` }],
    });
    expect(decide(named)[0]).toBe('keep');
  });

  it.each<[string, EntryInit, RegExp]>([
    ['a long ID', { spiffeId: { trustDomain: td, path: `/${'x'.repeat(2048)}` } }, /at most 2048 bytes/],
    ['a DNS name with a space', { dnsNames: ['a b'] }, /write it as a host name/],
    ['a huge selector', { selectors: [{ type: 'a', value: 'x'.repeat(9000) }] }, /fewer or shorter selectors/],
    [
      'thousands of selectors',
      { selectors: Array.from({ length: 2000 }, (_, n) => ({ type: 'a', value: String(n) })) },
      /split it/,
    ],
    ['no selector', { selectors: [] }, /correct the entry/],
  ])('with %s are named, and what to do', (_what, more, advice) => {
    const [step] = entriesOf([entry('bad', more)]);
    expect(step?.action).toBe('refuse');
    expect(step?.advice).toMatch(advice);
  });
});

describe('bundles and relationships', () => {
  const bundle = (sequenceNumber: bigint, asn1: number): types.Bundle =>
    create(types.BundleSchema, {
      trustDomain: 'b.test',
      sequenceNumber,
      x509Authorities: [{ asn1: Uint8Array.of(asn1) }],
    });
  const bundles = (one?: types.Bundle): Partial<Side> => ({ bundles: new Map(one && [['b.test', one]]) });
  const relationship = (url: string): Partial<Side> => ({
    relationships: new Map([
      [
        'b.test',
        create(types.FederationRelationshipSchema, {
          trustDomain: 'b.test',
          bundleEndpointUrl: url,
          bundleEndpointProfile: { case: 'httpsWeb', value: {} },
        }),
      ],
    ]),
  });

  it('a bundle that is newer here is left', () => {
    const decideBundle = (from: types.Bundle, to?: types.Bundle) =>
      planMigration(side(bundles(from)), side(bundles(to)), NOW).bundles[0]?.action;
    expect(decideBundle(bundle(1n, 1))).toBe('create');
    expect(decideBundle(bundle(2n, 1), bundle(1n, 1))).toBe('keep');
    expect(decideBundle(bundle(2n, 1), bundle(1n, 2))).toBe('update');
    expect(decideBundle(bundle(1n, 1), bundle(2n, 2))).toBe('keep');
  });

  it('a relationship follows the other server', () => {
    const plan = planMigration(side(relationship('https://a.test/')), side(relationship('https://b.test/')), NOW);
    expect(plan.relationships[0]).toMatchObject({
      action: 'update',
      why: 'https://b.test/ (https_web) → https://a.test/ (https_web)',
    });
    expect(planMigration(side(relationship('https://a.test/')), side(), NOW).relationships[0]?.action).toBe('create');
  });
});

it('the diff says what is done with what, and counts', () => {
  const from = side({ entries: [entry('new'), entry('same'), entry('bad', { dnsNames: ['a b'] })] });
  const text = planText(planMigration(from, side({ entries: [entry('same')] }), NOW));
  expect(text).toContain('  + spiffe://example.org/new (new)');
  expect(text).toMatch(/ {2}! spiffe:\/\/example\.org\/bad \(bad\): invalid DNS name.*\n {6}remove the name/);
  expect(text).toContain('  = 1 as they are');
  expect(text).toContain('1 to create, 0 to update, 1 to leave, 1 that cannot be taken');
});
