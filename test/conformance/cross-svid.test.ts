import { parseCertificate, SpiffeId, verifyJwtSvid, verifyWitSvid, verifyX509Svid } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { accepted } from './refusal.ts';
import * as tokens from './token-world.ts';
import * as x509 from './x509-world.ts';

const verifyJwt = (token: string) => verifyJwtSvid(token, tokens.BUNDLES, ['y'], { now: tokens.NOW });
const verifyWit = (token: string) =>
  verifyWitSvid(
    token,
    tokens.BUNDLES,
    { token: tokens.proof(token), audience: tokens.PROOF_AUDIENCE },
    { now: tokens.NOW },
  );
const replaceOnce = (bytes: Uint8Array, from: string, to: string) =>
  Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1');
const swapClaim = (token: string, from: string, to: string) => {
  const [head = '', body = '', signature = ''] = token.split('.');
  return [head, replaceOnce(Buffer.from(body, 'base64url'), from, to).toString('base64url'), signature].join('.');
};

it('[ID-25] believes ID and key only where they are signed', () => {
  const { der } = x509.leaf();
  const otherId = replaceOnce(der, 'spiffe://a.test/x', 'spiffe://a.test/z');
  const otherKey = Buffer.from(der);
  const spki = x509.certificateOf({ ...x509.leaf(), der }).spki;
  const at = otherKey.indexOf(spki) + spki.length - 1;
  otherKey[at] = (otherKey[at] ?? 0) ^ 1;
  const judge = (one: Uint8Array) => verifyX509Svid([parseCertificate(one)], x509.BUNDLES, { now: x509.NOW });
  expect(accepted([der, otherId, otherKey], judge)).toEqual([der]);

  const jwt = tokens.jwt({ claims: { sub: 'spiffe://a.test/x' } });
  const wit = tokens.wit();
  const { x = '' } = tokens.confirmationKey as { x?: string };
  expect(accepted([jwt, swapClaim(jwt, 'a.test/x', 'a.test/z')], verifyJwt)).toEqual([jwt]);
  const changed = [
    swapClaim(wit, 'a.test/x', 'a.test/z'),
    swapClaim(wit, x.slice(0, 4), x.slice(0, 4) === 'AAAA' ? 'BBBB' : 'AAAA'),
  ];
  expect(accepted([wit, ...changed], verifyWit)).toEqual([wit]);
  const inHeader = tokens.jwt({ header: { sub: 'spiffe://a.test/x' }, claims: { sub: undefined } });
  expect(accepted([inHeader], verifyJwt)).toEqual([]);
});

it('[ID-26] knows no other kinds of document', () => {
  const saml = Buffer.from('<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>').toString('base64');
  const others = [saml, 'v4.public.eyJzdWIiOiJzcGlmZmU6Ly9hLnRlc3QveCJ9AAAA', '0oRDoQEmoEA', `${tokens.jwt()}..`];
  expect(accepted(others, verifyJwt)).toEqual([]);
  expect(accepted(others, verifyWit)).toEqual([]);
  expect(accepted(others, (text) => parseCertificate(Buffer.from(text)))).toEqual([]);
});

it('[ID-28] takes no token that an authority of another trust domain signed', () => {
  const { otherDomain } = tokens.KEYS;
  expect(accepted([tokens.jwt({}, otherDomain)], verifyJwt)).toEqual([]);
  expect(accepted([tokens.wit({}, otherDomain)], verifyWit)).toEqual([]);
});

it('[ID-17] accepts an ID of exactly 2048 bytes in every kind of SVID', () => {
  const id = `spiffe://a.test/${'x'.repeat(2048 - 'spiffe://a.test/'.length)}`;
  expect(SpiffeId.parse(id).toString()).toHaveLength(2048);
  expect(x509.verify(x509.leaf({ uris: [id] })).id.toString()).toBe(id);
  expect(verifyJwt(tokens.jwt({ claims: { sub: id } })).id.toString()).toBe(id);
  expect(verifyWit(tokens.wit({ claims: { sub: id } })).id.toString()).toBe(id);
});
