import { SpiffeId, TrustBundle, TrustDomain, type X509Svid } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { draftEntry, type RegistrationEntry } from './entry.ts';
import { type WorkloadIdentity, workloadUpdate } from './identity-update.ts';
import { parseSelector } from './selector.ts';

const td = (name: string) => TrustDomain.parse(name);
const bundle = TrustBundle.of(td('example.org'));
const foreign = ['one.org', 'two.org', 'three.org'].map((name) => TrustBundle.of(td(name)));

function identity(id: string, parts: Partial<RegistrationEntry> = {}): WorkloadIdentity {
  const spiffeId = SpiffeId.parse(`spiffe://example.org/${id}`);
  const entry = {
    ...draftEntry({ spiffeId, parentId: spiffeId, selectors: [parseSelector('a:1')] }),
    id,
    revision: 0,
    createdAt: 0,
    ...parts,
  };
  return { entry, svid: { id: spiffeId } as X509Svid };
}

const idsOf = (identities: WorkloadIdentity[]) =>
  workloadUpdate(identities, bundle, foreign).identities.map(({ entry }) => entry.id);

describe('identities', () => {
  it('come sorted by entry id, and the input stays as it was', () => {
    const given = [identity('b'), identity('a'), identity('B')];
    expect(idsOf(given)).toEqual(['B', 'a', 'b']);
    expect(given.map(({ entry }) => entry.id)).toEqual(['b', 'a', 'B']);
  });

  it('with one hint: only the oldest', () => {
    const hint = 'internal';
    expect(
      idsOf([
        identity('c', { hint, createdAt: 5 }),
        identity('b', { hint, createdAt: 3 }),
        identity('a', { hint, createdAt: 3, storeSvid: true }),
        identity('d', { hint, createdAt: 3 }),
        identity('e', { hint: 'Internal', createdAt: 9 }),
        identity('f', { createdAt: 9 }),
        identity('g', { createdAt: 9 }),
      ]),
    ).toEqual(['b', 'e', 'f', 'g']);
  });

  it('are decided alike in any order', () => {
    const three = [
      identity('a', { hint: 'h', createdAt: 2 }),
      identity('b', { hint: 'h', createdAt: 1 }),
      identity('c', { hint: 'h', createdAt: 1 }),
    ];
    expect(idsOf(three)).toEqual(['b']);
    expect(idsOf(three.toReversed())).toEqual(['b']);
  });

  it('for a store are not shown', () => {
    expect(idsOf([identity('a', { storeSvid: true })])).toEqual([]);
  });
});

describe('federated bundles', () => {
  const namesOf = (identities: WorkloadIdentity[]) =>
    workloadUpdate(identities, bundle, foreign).federatedBundles.map((each) => each.trustDomain.name);

  it('are those the shown identities federate with, each once, sorted', () => {
    expect(
      namesOf([
        identity('a', { federatesWith: ['two.org'] }),
        identity('b', { federatesWith: ['one.org', 'two.org', 'missing.org', 'example.org'] }),
      ]),
    ).toEqual(['one.org', 'two.org']);
    expect(namesOf([identity('a')])).toEqual([]);
  });

  it('are not those of identities that are not shown', () => {
    expect(
      namesOf([
        identity('a', { hint: 'h', createdAt: 1 }),
        identity('b', { hint: 'h', createdAt: 2, federatesWith: ['one.org'] }),
        identity('c', { storeSvid: true, federatesWith: ['two.org'] }),
      ]),
    ).toEqual([]);
  });
});
