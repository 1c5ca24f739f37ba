import { createPublicKey } from 'node:crypto';
import {
  BundleSet,
  formatBundleDocument,
  formatBundleMap,
  parseBundleDocument,
  parseBundleMap,
  publicJwk,
  refreshInterval,
  TrustBundle,
  TrustDomain,
  tokenAuthority,
  verifyX509Svid,
} from '@steeple/spiffe';
import { type Forged, forgeCertificate, goodRoot } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { accepted, refusal } from './refusal.ts';
import { KEYS } from './token-world.ts';
import { certificateOf, leaf, NOW, ROOTS, rootsOf } from './x509-world.ts';

const a = TrustDomain.parse('a.test');
const other = forgeCertificate(goodRoot('a.test', NOW));
const base64 = ({ der }: Forged) => Buffer.from(der).toString('base64');
const rootEntry = (root: Forged, more: Record<string, unknown> = {}) => ({
  ...publicJwk(createPublicKey(root.privateKey)),
  use: 'x509-svid',
  x5c: [base64(root)],
  ...more,
});
const jwtEntry = (more: Record<string, unknown> = {}) => ({
  ...publicJwk(createPublicKey(KEYS.p256)),
  use: 'jwt-svid',
  kid: 'good',
  ...more,
});
const read = (document: object) => parseBundleDocument(a, JSON.stringify(document));
const readKeys = (...keys: unknown[]) => read({ keys });
const isTrusted = (bundle: TrustBundle, root: Forged) =>
  accepted([certificateOf(leaf({ issuer: root }))], (one) => verifyX509Svid([one], BundleSet.of(bundle), { now: NOW }))
    .length === 1;

it('[X509-38] ignores an entry without certificate and keeps the rest', () => {
  const bundle = readKeys(rootEntry(other, { x5c: undefined }), rootEntry(other, { x5c: [] }), rootEntry(ROOTS.a));
  expect(bundle.x509Authorities).toHaveLength(1);
  expect([isTrusted(bundle, ROOTS.a), isTrusted(bundle, other)]).toEqual([true, false]);
});

it('[X509-39] uses only the first of several certificates in an entry', () => {
  const bundle = readKeys(rootEntry(ROOTS.a, { x5c: [base64(ROOTS.a), base64(other)] }));
  expect([isTrusted(bundle, ROOTS.a), isTrusted(bundle, other)]).toEqual([true, false]);
});

it('[X509-40] takes all entries together', () => {
  const bundle = readKeys(rootEntry(ROOTS.a), rootEntry(other));
  expect([isTrusted(bundle, ROOTS.a), isTrusted(bundle, other)]).toEqual([true, true]);
  expect(isTrusted(readKeys(jwtEntry()), ROOTS.a)).toBe(false);
});

it('[TDB-03] reads a bundle with unknown members, and one with nothing but keys', () => {
  expect(read({ keys: [jwtEntry()], foo: { bar: [1] } }).jwtAuthorities).toHaveLength(1);
  expect(readKeys(jwtEntry()).jwtAuthorities).toHaveLength(1);
});

it('[TDB-06] tells sequence numbers beyond 2^53 apart', () => {
  const sequenceOf = (text: string) => parseBundleDocument(a, `{"keys":[],"spiffe_sequence":${text}}`).sequence;
  expect(sequenceOf('9007199254740993') > sequenceOf('9007199254740992')).toBe(true);
  expect(sequenceOf('18446744073709551615')).toBe(2n ** 64n - 1n);
});

it('[TDB-08] survives hints that make no sense and keeps within its bounds', () => {
  for (const hint of ['60', 1.5, -1, 0, 1e12]) {
    const { refreshHint } = read({ keys: [], spiffe_refresh_hint: hint });
    expect(Number.isInteger(refreshHint)).toBe(true);
    expect(refreshInterval(refreshHint)).toBeGreaterThanOrEqual(60);
    expect(refreshInterval(refreshHint)).toBeLessThanOrEqual(86_400);
  }
  const written = formatBundleDocument(TrustBundle.of(a, { refreshHint: 300 }));
  expect(JSON.parse(written)).toMatchObject({ spiffe_refresh_hint: 300 });
});

it('[TDB-09] needs keys, and writes an empty list when there are none', () => {
  expect(accepted([{}, { keys: null }, { keys: {} }, { spiffe_sequence: 1 }], read)).toEqual([]);
  expect(formatBundleDocument(TrustBundle.of(a))).toBe('{"keys":[]}');
});

it('[TDB-10] [TDB-15] [TDB-17] [TDB-18] ignores entries of unknown type or use, one by one', () => {
  const bundle = readKeys(
    jwtEntry(),
    jwtEntry({ kid: '1', kty: 'AKP' }),
    { kty: 'OKP', crv: 'Ed448', x: 'AA', use: 'jwt-svid', kid: '2' },
    jwtEntry({ kid: '3', use: 'sig' }),
    jwtEntry({ kid: '4', use: 'future-svid' }),
    jwtEntry({ kid: '5', use: undefined }),
    jwtEntry({ kid: '6', use: 'Jwt-Svid' }),
    rootEntry(ROOTS.a, { use: 'X509-SVID' }),
  );
  expect(bundle.jwtAuthorities.map(({ kid }) => kid)).toEqual(['good']);
  expect([bundle.x509Authorities, bundle.witAuthorities]).toEqual([[], []]);
});

it('[TDB-11] replaces a bundle by one that came to nothing', () => {
  const bundles = BundleSet.of(readKeys(rootEntry(ROOTS.a)));
  const judge = () => verifyX509Svid([certificateOf(leaf())], bundles, { now: NOW });
  expect(judge().id.path).toBe('/x');
  for (const keys of [[], [jwtEntry({ kty: 'AKP' })]]) {
    bundles.set(readKeys(...keys));
    expect(refusal(judge).code).toBe('untrusted');
  }
});

it('[WIT-33] does not publish a bundle in which one key id names two keys', () => {
  const authority = (name: 'p256' | 'wit') => tokenAuthority('same', createPublicKey(KEYS[name]));
  const bundle = TrustBundle.of(a, { jwtAuthorities: [authority('p256')], witAuthorities: [authority('wit')] });
  expect(refusal(() => formatBundleDocument(bundle, { wit: true })).rule).toBe('WIT-33');
});

const b = rootsOf('b.test', ROOTS.b);

it('[BMAP-01] writes and needs the top-level key, which may be empty', () => {
  expect(JSON.parse(formatBundleMap([]))).toEqual({ trust_domains: {} });
  expect(accepted(['{}', '[]', '{"trust_domains":null}'], parseBundleMap)).toEqual([]);
  expect(parseBundleMap('{"trust_domains":{}}').list()).toEqual([]);
});

it('[BMAP-02] [BMAP-03] [BMAP-06] has each trust domain once, under its name', () => {
  expect(refusal(() => formatBundleMap([b, b])).code).toBe('invalid-bundle');
  const member = formatBundleDocument(b);
  const maps = [`"b.test":${member},"b.test":${member}`, `"B.test":${member}`, `"spiffe://b.test":${member}`];
  expect(
    accepted(
      maps.map((text) => `{"trust_domains":{${text}}}`),
      parseBundleMap,
    ),
  ).toEqual([]);
});

it('[BMAP-04] [BMAP-05] neither writes nor heeds the hints of its members', () => {
  expect(formatBundleMap([b.with({ refreshHint: 60 })])).not.toContain('hint');
  const text = '{"trust_domains":{"b.test":{"keys":[],"spiffe_refresh_hint":1,"refresh_hint":1}}}';
  expect(parseBundleMap(text).list()[0]?.refreshHint).toBe(0);
});

it('[BMAP-07] is read as a whole or not at all, and is the whole world', () => {
  expect(accepted(['{"trust_domains":{"a.test":{"keys":[]},"b.test":{"keys":null}}}'], parseBundleMap)).toEqual([]);
  const next = parseBundleMap(formatBundleMap([b]));
  expect(next.list().map(({ trustDomain }) => trustDomain.name)).toEqual(['b.test']);
  expect(next.bundleFor(a)).toBeUndefined();
});
