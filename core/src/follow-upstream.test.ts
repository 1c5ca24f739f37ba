import { randomBytes } from 'node:crypto';
import { generateKey, localSigner, selfSignedCa, TrustBundle, TrustDomain, tokenAuthority } from '@steeple/spiffe';
import { beforeAll, describe, expect, it } from 'vitest';
import { followUpstream } from './follow-upstream.ts';

const td = TrustDomain.parse('example.org');

const newRoot = async () => {
  const certificate = await selfSignedCa(localSigner(generateKey('ec-p256')), {
    trustDomain: td,
    subject: { country: ['US'], organization: ['SPIFFE'], serialNumber: randomBytes(8).toString('hex') },
    notBefore: 1_700_000_000,
    notAfter: 1_800_000_000,
    serial: randomBytes(16),
  });
  return { certificate, tainted: false };
};
const newKey = (kid: string) => tokenAuthority(kid, localSigner(generateKey('ec-p256')).publicKey);
const marked = <T>(authority: T): T & { tainted: true } => ({ ...authority, tainted: true });

let [a, b]: Awaited<ReturnType<typeof newRoot>>[] = [];
const [k, l] = [newKey('k'), newKey('l')];
beforeAll(async () => {
  [a, b] = await Promise.all([newRoot(), newRoot()]);
});
const root = (which: typeof a) => which as NonNullable<typeof a>;
const names = (bundle: TrustBundle) => [
  bundle.x509Authorities.map((one) => [one.certificate === root(a).certificate ? 'a' : 'b', one.tainted]),
  bundle.jwtAuthorities.map(({ kid, tainted }) => [kid, tainted]),
];

describe('a bundle that follows an upstream', () => {
  it('adds what is new and keeps what upstream has only dropped', () => {
    const before = TrustBundle.of(td, { x509Authorities: [root(a)], jwtAuthorities: [k], sequence: 4n });
    const { bundle, newlyTainted } = followUpstream(before, { x509: [root(b)], jwt: [l] });
    expect(names(bundle)).toEqual([
      [
        ['a', false],
        ['b', false],
      ],
      [
        ['k', false],
        ['l', false],
      ],
    ]);
    expect([bundle.sequence, newlyTainted]).toEqual([5n, []]);
  });

  it('is the same bundle when nothing is new', () => {
    const before = TrustBundle.of(td, { x509Authorities: [root(a)], jwtAuthorities: [k], sequence: 4n });
    expect(followUpstream(before, { x509: [root(a)], jwt: [k] }).bundle).toBe(before);
    expect(followUpstream(before, { x509: [root(a)] }).bundle).toBe(before);
  });

  it('tells which roots were marked above, and does not mark them yet', () => {
    const before = TrustBundle.of(td, { x509Authorities: [root(a), root(b)] });
    const { bundle, newlyTainted } = followUpstream(before, { x509: [marked(root(a)), root(b)] });
    expect(newlyTainted).toEqual([root(a).certificate]);
    expect(bundle).toBe(before);
  });

  it('takes a marked root that it did not know as marked', () => {
    const { bundle, newlyTainted } = followUpstream(TrustBundle.of(td), { x509: [marked(root(a))] });
    expect([names(bundle)[0], newlyTainted]).toEqual([[['a', true]], []]);
  });

  it('marks and drops token keys as upstream does', () => {
    const before = TrustBundle.of(td, { jwtAuthorities: [k, l] });
    const tainted = followUpstream(before, { x509: [], jwt: [marked(k), l] }).bundle;
    expect(names(tainted)[1]).toEqual([
      ['k', true],
      ['l', false],
    ]);
    expect(names(followUpstream(tainted, { x509: [], jwt: [l] }).bundle)[1]).toEqual([['l', false]]);
  });

  it('drops a marked root that is gone above: it was revoked', () => {
    const before = TrustBundle.of(td, { x509Authorities: [marked(root(a)), root(b)] });
    expect(names(followUpstream(before, { x509: [root(b)], marks: true }).bundle)[0]).toEqual([['b', false]]);
    // One that never marks anything has not revoked it either: it was marked by hand, here.
    expect(followUpstream(before, { x509: [root(b)] }).bundle).toBe(before);
    expect(followUpstream(before, { x509: [root(a), root(b)] }).bundle).toBe(before);
  });

  it('does not take back what was revoked here', () => {
    const { bundle } = followUpstream(TrustBundle.of(td), { x509: [], jwt: [k, l] }, new Set(['k']));
    expect(names(bundle)[1]).toEqual([['l', false]]);
  });
});
