import { beforeAll, describe, expect, it } from 'vitest';
import { TrustDomain } from '../id/trust-domain.ts';
import { errorOf } from '../testing/error-of.ts';
import { testCertificate } from '../testing/test-ca.ts';
import { TEST_KEYS, type TestKey } from '../testing/test-keys.ts';
import type { Certificate } from '../x509/certificate.ts';
import { BundleSet } from './bundle-set.ts';
import { refreshInterval } from './refresh-hint.ts';
import { tokenAuthority } from './token-authority.ts';
import { TrustBundle } from './trust-bundle.ts';

const td = TrustDomain.parse('a.test');
const authority = (kid: string, key: TestKey) => tokenAuthority(kid, TEST_KEYS[key].publicKey);
let certificate: Certificate;
beforeAll(async () => {
  certificate = await testCertificate('p256');
});

describe('TrustBundle', () => {
  it('is empty until told otherwise', () => {
    const bundle = TrustBundle.of(td);
    expect(bundle).toMatchObject({ x509Authorities: [], jwtAuthorities: [], sequence: 0n, refreshHint: 0 });
    expect(bundle.isEmpty).toBe(true);
    expect(bundle.with({ witAuthorities: [authority('k', 'wit')] }).isEmpty).toBe(false);
  });

  it('cannot be changed, not even through what it was made of', () => {
    const jwtAuthorities = [authority('k', 'p256')];
    const bundle = TrustBundle.of(td, { jwtAuthorities });
    jwtAuthorities.push(authority('l', 'p384'));
    expect(bundle.jwtAuthorities).toHaveLength(1);
    expect(() => (bundle.jwtAuthorities as unknown[]).push(1)).toThrow(TypeError);
    expect(() => Object.assign(bundle, { sequence: 9n })).toThrow(TypeError);
  });

  it('finds a key by its exact id, each kind apart', () => {
    const bundle = TrustBundle.of(td, {
      jwtAuthorities: [authority('AbC', 'p256')],
      witAuthorities: [authority('w', 'wit')],
    });
    expect(bundle.jwtAuthority('AbC')?.publicKey).toBe(TEST_KEYS.p256.publicKey);
    expect(bundle.jwtAuthority('abc')).toBeUndefined();
    expect(bundle.jwtAuthority('w')).toBeUndefined();
    expect(bundle.witAuthority('AbC')).toBeUndefined();
    expect(bundle.jwtAuthority('__proto__')).toBeUndefined();
  });

  it('collapses repetition and refuses contradiction', () => {
    const x509Authorities = [
      { certificate, tainted: true },
      { certificate, tainted: false },
    ];
    const bundle = TrustBundle.of(td, {
      x509Authorities,
      jwtAuthorities: [authority('k', 'p256'), authority('k', 'p256')],
    });
    expect(bundle.x509Authorities).toEqual([{ certificate, tainted: true }]);
    expect(bundle.jwtAuthorities).toHaveLength(1);
    const two = [authority('k', 'p256'), authority('k', 'p384')];
    expect(errorOf(() => TrustBundle.of(td, { jwtAuthorities: two })).code).toBe('invalid-bundle');
    expect(errorOf(() => TrustBundle.of(td, { witAuthorities: two })).code).toBe('invalid-bundle');
  });

  it('refuses numbers out of range', () => {
    for (const parts of [
      { sequence: -1n },
      { sequence: 2n ** 64n },
      { refreshHint: -1 },
      { refreshHint: 1.5 },
      { refreshHint: Number.NaN },
    ]) {
      expect(errorOf(() => TrustBundle.of(td, parts)).code).toBe('invalid-bundle');
    }
  });

  it('compares everything but the order', () => {
    const [first, second] = [authority('a', 'p256'), authority('b', 'p384')];
    const parts = { x509Authorities: [{ certificate, tainted: false }], jwtAuthorities: [first, second], sequence: 4n };
    const bundle = TrustBundle.of(td, parts);
    expect(bundle.equals(TrustBundle.of(td, { ...parts, jwtAuthorities: [second, first] }))).toBe(true);
    const others = [
      TrustBundle.of(TrustDomain.parse('b.test'), parts),
      bundle.with({ x509Authorities: [{ certificate, tainted: true }] }),
      bundle.with({ x509Authorities: [] }),
      bundle.with({ jwtAuthorities: [first] }),
      bundle.with({ jwtAuthorities: [first, { ...second, tainted: true }] }),
      bundle.with({ jwtAuthorities: [first, { ...second, expiresAt: 1 }] }),
      bundle.with({ jwtAuthorities: [first, authority('b', 'rsa')] }),
      bundle.with({ jwtAuthorities: [first, authority('c', 'p384')] }),
      bundle.with({ witAuthorities: [first] }),
    ];
    for (const other of others) expect(bundle.trustsSameAs(other)).toBe(false);
    const renumbered = bundle.with({ sequence: 5n });
    expect([bundle.trustsSameAs(renumbered), bundle.equals(renumbered)]).toEqual([true, false]);
    expect(bundle.equals(bundle.with({ refreshHint: 5 }))).toBe(false);
  });

  it('holds public keys only', () => {
    expect(() => tokenAuthority('k', TEST_KEYS.p256.privateKey)).toThrow(TypeError);
    expect(() => tokenAuthority('', TEST_KEYS.p256.publicKey)).toThrow(TypeError);
  });
});

describe('BundleSet', () => {
  it('files each bundle under its own name', () => {
    const [a, b] = [TrustBundle.of(td), TrustBundle.of(TrustDomain.parse('b.test'))];
    const set = BundleSet.of(a, b);
    expect(set.bundleFor(td)).toBe(a);
    expect(set.list()).toEqual([a, b]);
    const newer = a.with({ sequence: 1n });
    set.set(newer);
    expect(set.get(td)).toBe(newer);
    expect([set.delete(td), set.delete(td)]).toEqual([true, false]);
    expect(set.bundleFor(td)).toBeUndefined();
  });
});

describe('refreshInterval', () => {
  it('is the hint within bounds, five minutes without one (TDB-19, FED-50)', () => {
    expect([0, 1, 60, 3600, 1e9].map((hint) => refreshInterval(hint))).toEqual([300, 60, 60, 3600, 86_400]);
    expect(refreshInterval(1, { minimum: 5 })).toBe(5);
  });
});
