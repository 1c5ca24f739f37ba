import { BundleSet, verifyX509Svid } from '@steeple/spiffe';
import {
  CLIENT_AUTH,
  der,
  type Forged,
  type ForgeOptions,
  forgeCertificate,
  goodRoot,
  SERVER_AUTH,
} from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { accepted } from './refusal.ts';
import { BUNDLES, certificateOf, intermediate, leaf, NOW, ROOTS, rootsOf, verify } from './x509-world.ts';

const acceptedLeaves = (...changes: readonly Partial<ForgeOptions>[]) =>
  accepted(changes, (change) => verify(leaf(change)));
const acceptedChains = (...chains: readonly (readonly Forged[])[]) =>
  accepted(chains, (chain) => verify(...chain)).length;
const ID = 'spiffe://a.test/x';

it('[X509-02] [X509-03] [X509-31] needs exactly one URI SAN, and that a SPIFFE ID', () => {
  expect(verify(leaf()).id.toString()).toBe(ID);
  const uris = [
    [ID, 'spiffe://a.test/y'],
    [ID, 'https://web.test/'],
    [ID, ID],
    [],
    ['sparfe://a.test/x'],
    ['https://a.test/x'],
    ['urn:uuid:0'],
    ['SPIFFE://a.test/x'],
  ];
  expect(acceptedLeaves(...uris.map((one) => ({ uris: one })))).toEqual([]);
  expect(acceptedLeaves({ uris: [], dnsNames: ['x.test'] }, { uris: [], commonName: ID })).toEqual([]);
});

const names = (...list: Buffer[]) => ({ oid: '2.5.29.17', critical: true, value: der.sequence(...list) });
const uri = (text: string) => der.der(0x86, Buffer.from(text));
const dns = (text: string) => der.der(0x82, Buffer.from(text));

it('[X509-04] allows any number of other alternative names', () => {
  const ip = der.der(0x87, Uint8Array.of(127, 0, 0, 1));
  const email = der.der(0x81, Buffer.from('x@a.test'));
  const all = names(dns('a.test'), dns('b.test'), dns('c.test'), ip, email, uri(ID));
  expect(acceptedLeaves({ uris: [], extensions: [all] })).toHaveLength(1);
});

it('[X509-H2] reads alternative names from DER, never from text', () => {
  expect(acceptedLeaves({ uris: [], extensions: [names(dns('x, URI:spiffe://a.test/admin'))] })).toEqual([]);
  expect(acceptedLeaves({ uris: [], dnsNames: ['URI:spiffe://a.test/x'] })).toEqual([]);
});

it('[X509-12] [X509-29] never takes a signing certificate for a credential', () => {
  const withBit = forgeCertificate({
    ...goodRoot('a.test', NOW),
    keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
    issuer: ROOTS.a,
  });
  expect(acceptedChains([ROOTS.a], [withBit], [intermediate()])).toBe(0);
  expect(acceptedLeaves({ ca: true }, { ca: true, keyUsage: ['digitalSignature', 'keyCertSign'] })).toEqual([]);
});

it('[X509-30] [X509-H1] needs digitalSignature, critical, and no signing bit on a leaf', () => {
  const bad: Partial<ForgeOptions>[] = [
    { keyUsage: ['digitalSignature', 'keyCertSign'] },
    { keyUsage: ['digitalSignature', 'cRLSign'] },
    { keyUsage: undefined },
    { keyUsage: ['keyAgreement'] },
    { keyUsageCritical: false },
  ];
  expect(acceptedLeaves(...bad)).toEqual([]);
});

it('[X509-22] [X509-25] accepts further bits and a critical purpose on foreign leaves', () => {
  const purposes = {
    oid: '2.5.29.37',
    critical: true,
    value: der.sequence(der.oid(SERVER_AUTH), der.oid(CLIENT_AUTH)),
  };
  const good = [
    { keyUsage: ['digitalSignature', 'keyEncipherment', 'keyAgreement'] as const },
    { extKeyUsage: undefined, extensions: [purposes] },
    { extKeyUsage: undefined },
  ];
  expect(acceptedLeaves(...good)).toEqual(good);
});

it('[X509-27] accepts a foreign CA that has purposes', () => {
  const ca = intermediate({ extKeyUsage: [SERVER_AUTH, CLIENT_AUTH] });
  expect(acceptedChains([leaf({ issuer: ca }), ca])).toBe(1);
});

it('[X509-32] refuses the ID of a whole trust domain', () => {
  expect(acceptedLeaves({ uris: ['spiffe://a.test'] }, { uris: ['spiffe://a.test/'] })).toEqual([]);
});

it('[X509-13] refuses a leaf below a chain longer than allowed', () => {
  const short = intermediate({ pathLength: 0 });
  const below = intermediate({ issuer: short, commonName: 'below' });
  expect(acceptedChains([leaf({ issuer: short }), short])).toBe(1);
  expect(acceptedChains([leaf({ issuer: below }), below, short])).toBe(0);
});

it('[X509-16] holds every ID below to the URI constraints of a signing certificate', () => {
  const permitted = der.sequence(der.der(0xa0, der.sequence(uri('b.test'))));
  const ca = (issuer: Forged) =>
    intermediate({ issuer, extensions: [{ oid: '2.5.29.30', critical: true, value: permitted }] });
  const [underA, underB] = [ca(ROOTS.a), ca(ROOTS.b)];
  expect(acceptedChains([leaf({ issuer: underA }), underA])).toBe(0);
  expect(acceptedChains([leaf({ issuer: underB, uris: ['spiffe://b.test/x'] }), underB])).toBe(1);
});

it('[X509-28] validates the path as RFC 5280 says', () => {
  const good = intermediate();
  const below = (ca: Forged, changes: Partial<ForgeOptions> = {}) => [leaf({ issuer: ca, ...changes }), ca];
  const expired = { notBefore: NOW - 7200, notAfter: NOW - 3600 };
  const selfSigned = leaf({ issuer: undefined, commonName: 'self' });
  const stranger = forgeCertificate(goodRoot('a.test', NOW));
  const unknown = { extensions: [{ oid: '1.2.3.4.5', critical: true, value: Uint8Array.of(5, 0) }] };
  const renamed = intermediate({ commonName: 'other name', privateKey: good.privateKey });
  expect(acceptedChains(below(good))).toBe(1);
  expect(
    acceptedChains(
      below(good, expired),
      below(intermediate(expired)),
      below(good, { notBefore: NOW + 60, notAfter: NOW + 120 }),
      below(good, { signWith: ROOTS.a.privateKey }),
      [leaf({ issuer: good }), renamed],
      below(good, unknown),
      below(intermediate(unknown)),
      below(intermediate({ ca: false })),
      below(intermediate({ keyUsage: ['cRLSign'] })),
      [selfSigned],
      [leaf({ issuer: stranger }), stranger],
      [leaf({ issuer: good })],
    ),
  ).toBe(0);
});

it('[X509-09] refuses a signing certificate whose ID has a path', () => {
  const ca = intermediate({ uris: ['spiffe://a.test/ca'] });
  expect(acceptedChains([leaf({ issuer: ca }), ca])).toBe(0);
});

it('[X509-11] [X509-20] accepts leaves through signing certificates of the same trust domain, with or without cRLSign', () => {
  const first = intermediate({ commonName: 'one', keyUsage: ['keyCertSign'] });
  const second = intermediate({ commonName: 'two', issuer: first });
  expect(acceptedChains([leaf({ issuer: second }), second, first])).toBe(1);
});

it('[X509-26] can insist on both purposes', () => {
  const one = [certificateOf(leaf({ extKeyUsage: [SERVER_AUTH] }))];
  const both = [certificateOf(leaf())];
  const judge = (chain: typeof one) => verifyX509Svid(chain, BUNDLES, { now: NOW, requireBothPurposes: true });
  expect(accepted([one], judge)).toEqual([]);
  expect(judge(both).id.toString()).toBe(ID);
});

it('[X509-40] trusts every authority of a bundle, and without one nothing', () => {
  const other = forgeCertificate(goodRoot('a.test', NOW));
  const bundles = BundleSet.of(rootsOf('a.test', ROOTS.a, other));
  for (const issuer of [ROOTS.a, other]) {
    expect(verifyX509Svid([certificateOf(leaf({ issuer }))], bundles, { now: NOW }).id.toString()).toBe(ID);
  }
  expect(acceptedLeaves({ uris: ['spiffe://jwt-only.test/x'] })).toEqual([]);
});

it('[ID-28] [TDB-01] [WAPI-17] judges by the authorities of the trust domain that the ID names, and no other', () => {
  expect(acceptedLeaves({ issuer: ROOTS.b }, { uris: ['spiffe://b.test/x'] }, { uris: ['spiffe://c.test/x'] })).toEqual(
    [],
  );
  const swapped = BundleSet.of(rootsOf('a.test', ROOTS.b), rootsOf('b.test', ROOTS.a));
  const both = [leaf(), leaf({ uris: ['spiffe://b.test/x'], issuer: ROOTS.b })].map(certificateOf);
  expect(accepted(both, (one) => verifyX509Svid([one], BUNDLES, { now: NOW }))).toHaveLength(2);
  expect(accepted(both, (one) => verifyX509Svid([one], swapped, { now: NOW }))).toEqual([]);
});
