import { create } from '@bufbuild/protobuf';
import { draftEntry } from '@steeple/core';
import { types } from '@steeple/proto/server-api';
import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { readAgentFilter } from './agent.ts';
import { mergeEntry, readEntry, readEntryFilter, wireEntry } from './entry.ts';
import { readPage } from './page.ts';
import { readId } from './spiffe-id.ts';

const TD = TrustDomain.parse('example.org');
const id = (path: string) => ({ trustDomain: 'example.org', path });
const good = { spiffeId: id('/w'), parentId: id('/p'), selectors: [{ type: 'a', value: 'b' }] };
const wire = (fields: object) => create(types.EntrySchema, { ...good, ...fields });

describe('entries on the wire', () => {
  it('come back as they went', () => {
    const fields = {
      id: 'x',
      dnsNames: ['b', 'a'],
      federatesWith: ['spiffe://f.test'],
      x509SvidTtl: 5,
      hint: 'h',
      downstream: true,
    };
    const draft = readEntry(wire({ ...fields, additionalAttributes: { jwtSvidIncludeJti: true } }), TD);
    expect(draft).toMatchObject({ id: 'x', dnsNames: ['b', 'a'], federatesWith: ['f.test'], jwtSvidIncludeJti: true });
    const back = wireEntry({ ...draft, id: 'x', revision: 3, createdAt: 7 });
    expect(back).toMatchObject({
      ...good,
      id: 'x',
      revisionNumber: 3n,
      createdAt: 7n,
      x509SvidTtl: 5,
      downstream: true,
    });
  });

  it.each([
    [{ spiffeId: undefined }, /^failed to convert entry: invalid spiffe ID: request must specify SPIFFE ID/],
    [{ spiffeId: { trustDomain: 'example.org', path: 'no-slash' } }, /invalid spiffe ID/],
    [{ spiffeId: { trustDomain: 'example.org', path: '/a/../b' } }, /invalid spiffe ID/],
    [{ spiffeId: { trustDomain: 'example.org/x', path: '/a' } }, /invalid spiffe ID/],
    [{ parentId: { trustDomain: 'other.test', path: '/a' } }, /invalid parent ID/],
    [{ expiresAt: 2n ** 60n }, /expires_at is out of range/],
    [{ x509SvidTtl: -1 }, /TTL/],
    [{ selectors: [{ type: 'a:b', value: 'c' }] }, /selector type contains ':'/],
    [{ dnsNames: ['a\u0000b'] }, /invalid DNS name/],
  ])('are refused with %o', (fields, message) => {
    expect(() => readEntry(wire(fields), TD)).toThrow(message);
  });

  it('change by the mask only, and keep their ID', () => {
    const old = {
      ...draftEntry({ spiffeId: SpiffeId.of(TD, '/w'), parentId: SpiffeId.of(TD, '/p'), selectors: good.selectors }),
      id: 'x',
      revision: 1,
      createdAt: 2,
      hint: 'old',
    };
    const mask = create(types.EntryMaskSchema, { admin: true });
    const merged = mergeEntry(old, create(types.EntrySchema, { id: 'y', admin: true, hint: 'new' }), mask, TD);
    expect(merged).toEqual({ ...old, admin: true });
    expect(() => mergeEntry(old, create(types.EntrySchema, { id: 'x' }), undefined, TD)).toThrow(/invalid parent ID/);
  });
});

describe('filters and pages on the wire', () => {
  it('ignore downstream = false and an empty hint, as SPIRE does', () => {
    expect(readEntryFilter({ byDownstream: false, byHint: '' }, TD)).toEqual({});
    expect(readEntryFilter({ byDownstream: true, byHint: 'h' }, TD)).toEqual({ downstream: true, hint: 'h' });
  });

  it('refuse IDs that no entry here can have', () => {
    const bySpiffeId = { trustDomain: 'other.test', path: '/x' };
    expect(() => readEntryFilter({ bySpiffeId }, TD)).toThrow(
      /^malformed SPIFFE ID filter: .* is not a member of trust/,
    );
    const byParentId = { trustDomain: TD.name, path: '' };
    expect(() => readEntryFilter({ byParentId }, TD)).toThrow(/^malformed parent ID filter: .*; path is empty/);
  });

  it('refuse empty sets', () => {
    const bySelectors = create(types.SelectorMatchSchema, {});
    expect(() => readEntryFilter({ bySelectors }, TD)).toThrow('malformed selectors filter: empty selector set');
    const byFederatesWith = create(types.FederatesWithMatchSchema, {});
    expect(() => readEntryFilter({ byFederatesWith }, TD)).toThrow(
      'malformed federates with filter: empty trust domain set',
    );
  });

  it('read Go times and refuse others', () => {
    const filter = (byExpiresBefore: string) =>
      readAgentFilter({ byAttestationType: '', byExpiresBefore }).expiresBefore;
    expect(filter('2030-01-02 03:04:05 +0100 +01')).toBe(Date.parse('2030-01-02T02:04:05Z') / 1000);
    expect(filter('2030-01-02 03:04:05 +0000 UTC')).toBe(Date.parse('2030-01-02T03:04:05Z') / 1000);
    for (const text of ['tomorrow', '2030-01-02', '2030-13-02 03:04:05 +0100 +01'])
      expect(() => filter(text)).toThrow(/expires_before/);
  });

  it('refuse negative pages and half-made IDs', () => {
    expect(() => readPage({ pageSize: -1, pageToken: '' })).toThrow(/negative/);
    expect(() => readId({ trustDomain: '', path: '/x' })).toThrow();
  });
});
