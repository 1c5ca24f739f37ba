import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { TrustDomain } from '../id/trust-domain.ts';
import { type EntrySpec, entryOf, testAuthorities } from '../testing/bundle-entries.ts';
import { errorOf } from '../testing/error-of.ts';
import { readVectors } from '../testing/read-vectors.ts';
import { TEST_KEYS, type TestKey } from '../testing/test-keys.ts';
import type { Certificate } from '../x509/certificate.ts';
import { formatBundleDocument, MAX_BUNDLE_BYTES, parseBundleDocument } from './bundle-document.ts';
import { tokenAuthority } from './token-authority.ts';
import { TrustBundle } from './trust-bundle.ts';

interface EntryCase {
  name: string;
  keys: EntrySpec[];
  expect: { x509: TestKey[]; jwt: string[]; wit: string[] };
  ignored?: number[];
}
interface DocumentCase {
  name: string;
  text: string;
  code?: string;
  rule?: string;
  sequence?: string;
  hint?: number;
}
const vectors = readVectors('bundles.json') as { entries: EntryCase[]; documents: DocumentCase[] };
const td = TrustDomain.parse('a.test');
let roots: ReadonlyMap<string, Certificate>;
beforeAll(async () => {
  roots = await testAuthorities();
});

const root = (name: string): Certificate => {
  const certificate = roots.get(name);
  if (certificate === undefined) throw new Error(`no root ${name}`);
  return certificate;
};
const authority = (kid: string, key: TestKey) => tokenAuthority(kid, TEST_KEYS[key].publicKey);

describe('parseBundleDocument', () => {
  it.each(vectors.entries)('reads entries: $name', ({ keys, expect: expected, ignored = [] }) => {
    const seen: number[] = [];
    const text = JSON.stringify({ keys: keys.map((spec) => entryOf(spec, roots)) });
    const bundle = parseBundleDocument(td, text, { onIgnored: ({ index }) => seen.push(index) });
    expect(seen).toEqual(ignored);
    expect(bundle.jwtAuthorities.map(({ kid }) => kid)).toEqual(expected.jwt);
    expect(bundle.witAuthorities.map(({ kid }) => kid)).toEqual(expected.wit);
    const keyNames = bundle.x509Authorities.map(({ certificate }) =>
      expected.x509.find((name) => TEST_KEYS[name].publicKey.equals(certificate.publicKey)),
    );
    expect(keyNames).toEqual(expected.x509);
    expect(bundle.isEmpty).toBe(expected.x509.length + expected.jwt.length + expected.wit.length === 0);
  });

  it.each(vectors.documents)('judges documents: $name', ({ text, code, rule, sequence, hint }) => {
    if (code !== undefined) {
      const error = errorOf(() => parseBundleDocument(td, text));
      expect({ code: error.code, rule: error.rule }).toEqual({ code, rule: rule ?? undefined });
      return;
    }
    const bundle = parseBundleDocument(td, new TextEncoder().encode(text));
    expect({ sequence: `${bundle.sequence}`, hint: bundle.refreshHint }).toEqual({ sequence, hint });
    expect(bundle.trustDomain.name).toBe('a.test');
  });

  it('refuses documents that are too long without reading them', () => {
    const long = `{"keys":[${' '.repeat(MAX_BUNDLE_BYTES)}]}`;
    expect(errorOf(() => parseBundleDocument(td, long)).code).toBe('malformed-json');
  });

  it('survives any change of a good document, and then trusts nothing new', () => {
    const keys = [{ base: 'x509 p256' }, { base: 'jwt p384' }, { base: 'wit wit' }].map((spec) => entryOf(spec, roots));
    const text = JSON.stringify({ keys, spiffe_sequence: 7 });
    const trusted = [root('x509 p256').publicKey, TEST_KEYS.p384.publicKey, TEST_KEYS.wit.publicKey];
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 2 }), (at, replacement) => {
        const changed = text.slice(0, at) + replacement + text.slice(at + 1);
        let bundle: TrustBundle;
        try {
          bundle = parseBundleDocument(td, changed);
        } catch (error) {
          expect(error).toHaveProperty('name', 'SpiffeError');
          return;
        }
        const found = [
          ...bundle.x509Authorities.map(({ certificate }) => certificate.publicKey),
          ...bundle.jwtAuthorities.map(({ publicKey }) => publicKey),
          ...bundle.witAuthorities.map(({ publicKey }) => publicKey),
        ];
        expect(found.every((key) => trusted.some((known) => known.equals(key)))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('formatBundleDocument', () => {
  it('writes exactly the members of the standard (TDB-13)', () => {
    const bundle = TrustBundle.of(td, {
      x509Authorities: [{ certificate: root('x509 p256'), tainted: true }],
      jwtAuthorities: [authority('j', 'rsa')],
      witAuthorities: [authority('w', 'wit')],
      sequence: 2n ** 64n - 1n,
      refreshHint: 300,
    });
    const text = formatBundleDocument(bundle, { wit: true });
    expect(text).toContain('"spiffe_sequence":18446744073709551615');
    const { keys, spiffe_refresh_hint: hint } = JSON.parse(text) as {
      keys: Record<string, unknown>[];
      spiffe_refresh_hint: number;
    };
    expect(hint).toBe(300);
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([
      ['crv', 'kty', 'use', 'x', 'x5c', 'y'],
      ['e', 'kid', 'kty', 'n', 'use'],
      ['crv', 'kid', 'kty', 'use', 'x', 'y'],
    ]);
    expect(keys.map(({ use }) => use)).toEqual(['x509-svid', 'jwt-svid', 'wit-svid']);
    expect(keys[0]?.['x5c']).toEqual([Buffer.from(root('x509 p256').raw).toString('base64')]);
  });

  it('keeps WIT keys back unless told otherwise (A3)', () => {
    const bundle = TrustBundle.of(td, { witAuthorities: [authority('w', 'wit')] });
    expect(formatBundleDocument(bundle)).toBe('{"keys":[]}');
    expect(formatBundleDocument(bundle, { wit: true })).toContain('"wit-svid"');
  });

  it('refuses one key id for a JWT and a WIT key (WIT-33)', () => {
    const bundle = TrustBundle.of(td, {
      jwtAuthorities: [authority('k', 'p256')],
      witAuthorities: [authority('k', 'wit')],
    });
    expect(errorOf(() => formatBundleDocument(bundle, { wit: true })).rule).toBe('WIT-33');
    expect(formatBundleDocument(bundle)).toContain('"jwt-svid"');
  });

  it('comes back as it went', () => {
    const kid = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' });
    const tokens = (keys: TestKey[]) =>
      fc
        .uniqueArray(fc.tuple(kid, fc.constantFrom(...keys)), { selector: ([name]) => name, maxLength: 4 })
        .map((pairs) => pairs.map(([name, key]) => authority(name, key)));
    const parts = fc.record({
      x509Authorities: fc.subarray(['x509 p256', 'x509 p384', 'x509 rsa']),
      jwtAuthorities: tokens(['p256', 'p384', 'p521', 'rsa']),
      witAuthorities: tokens(['wit', 'workload', 'stranger']),
      sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      refreshHint: fc.nat(86_400),
    });
    fc.assert(
      fc.property(parts, (made) => {
        const x509Authorities = made.x509Authorities.map((name) => ({ certificate: root(name), tainted: false }));
        const bundle = TrustBundle.of(td, { ...made, x509Authorities });
        fc.pre(bundle.witAuthorities.every(({ kid }) => bundle.jwtAuthority(kid) === undefined));
        const again = parseBundleDocument(td, formatBundleDocument(bundle, { wit: true }));
        expect(again.equals(bundle)).toBe(true);
        expect(again.x509Authorities.map(({ certificate }) => certificate.raw)).toEqual(
          x509Authorities.map(({ certificate }) => certificate.raw),
        );
      }),
    );
  });
});
