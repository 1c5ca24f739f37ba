import { createPublicKey } from 'node:crypto';
import { parseBundleDocument, publicJwk, TrustDomain, verifyJwtSvid, verifyWitSvid } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { accepted, refusal } from './refusal.ts';
import { BUNDLES, type Changes, confirmationKey, KEYS, NOW, PROOF_AUDIENCE, proof, wit } from './token-world.ts';

const verify = (token: string, by = proof(token)) =>
  verifyWitSvid(token, BUNDLES, { token: by, audience: PROOF_AUDIENCE }, { now: NOW });
const acceptedBy = (tokens: readonly string[]) => accepted(tokens, (token) => verify(token));
const withClaims = (claims: Changes['claims'] & object) => wit({ claims });
const withHeader = (header: Changes['header'] & object) => wit({ header });
const [head = '', body = '', signature = ''] = wit().split('.');

it('[WIT-01] accepts the compact form only', () => {
  const json = JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] });
  expect(acceptedBy([json, `${wit()}..`, `${head}.${body}`, `${head}.${body}.`])).toEqual([]);
  expect(acceptedBy([wit()])).toHaveLength(1);
});

it('[WIT-02] needs a key id', () => {
  expect(acceptedBy([undefined, '', null, 1].map((kid) => withHeader({ kid })))).toEqual([]);
});

it('[WIT-03] takes the key id as it is', () => {
  expect(acceptedBy([withHeader({ kid: 'abc' }), withHeader({ kid: ' AbC' })])).toEqual([]);
  expect(acceptedBy([withHeader({ kid: 'a /ü' })])).toHaveLength(1);
});

it('[WIT-05] needs exactly the type wit+jwt', () => {
  const types = [undefined, 'JWT', 'JOSE', 'application/wit+jwt', 'WIT+JWT', ''];
  expect(acceptedBy(types.map((typ) => withHeader({ typ })))).toEqual([]);
});

it('[WIT-07] refuses every other algorithm', () => {
  const others = ['EdDSA', 'ES256K', undefined, 'es256'].map((alg) => withHeader({ alg }));
  const none = wit({ header: { alg: 'none' }, sign: { none: true } });
  const secret = Buffer.from(createPublicKey(KEYS.wit).export({ type: 'spki', format: 'pem' }) as string);
  expect(acceptedBy([none, wit({ header: { alg: 'HS256' }, sign: { secret } }), ...others])).toEqual([]);
});

it('[WIT-09] ignores unknown header parameters unless they are critical', () => {
  expect(acceptedBy([withHeader({ x: 1 })])).toHaveLength(1);
  expect(acceptedBy([['x'], [], 'x'].map((crit) => withHeader({ x: 1, crit })))).toEqual([]);
});

it('[WIT-10] needs a subject that is a SPIFFE ID', () => {
  expect(acceptedBy([undefined, '', 1, 'x', 'spiffe://a.test/'].map((sub) => withClaims({ sub })))).toEqual([]);
});

it('[WIT-11] [WIT-12] needs a public key in its confirmation', () => {
  const secret = publicJwk(createPublicKey(KEYS.workload));
  const jwks = [
    'x',
    { ...confirmationKey, d: 'AA' },
    { ...confirmationKey, p: 'AA' },
    { ...confirmationKey, k: 'AA' },
    { kty: 'oct', alg: 'ES256' },
  ];
  const confirmations = [undefined, 'x', {}, { kid: secret.kty }, ...jwks.map((jwk) => ({ jwk }))];
  expect(acceptedBy(confirmations.map((cnf) => withClaims({ cnf })))).toEqual([]);
});

it('[WIT-13] needs one of the nine algorithms in the confirmation', () => {
  const algs = [undefined, 123, 'HS256', 'EdDSA', 'none', 'RSA-OAEP'];
  expect(acceptedBy(algs.map((alg) => withClaims({ cnf: { jwk: { ...confirmationKey, alg } } })))).toEqual([]);
});

it('[WIT-15] takes one WIT-SVID as often as a fresh proof comes with it', () => {
  const token = withClaims({ jti: 'same' });
  for (const jti of ['1', '2']) expect(verify(token, proof(token, { claims: { jti } })).token).toBe(token);
});

it('[WIT-17] [WIT-18] needs an expiry that has not passed', () => {
  expect(acceptedBy([undefined, null, '9', NOW - 600].map((exp) => withClaims({ exp })))).toEqual([]);
});

it('[WIT-19] allows a leeway of two minutes at most', () => {
  const token = wit();
  const by = { token: proof(token), audience: PROOF_AUDIENCE };
  expect(() => verifyWitSvid(token, BUNDLES, by, { now: NOW, leeway: 121 })).toThrow(RangeError);
  expect(verifyWitSvid(token, BUNDLES, by, { now: NOW, leeway: 120 }).token).toBe(token);
});

it('[WIT-20] [WIT-22] is held to nbf and never to iat', () => {
  expect(acceptedBy([withClaims({ nbf: NOW + 3600 })])).toEqual([]);
  const good = [{ nbf: NOW - 60 }, {}, { iat: NOW + 3600 }].map(withClaims);
  expect(acceptedBy(good)).toEqual(good);
});

it('[WIT-21] can be held to a policy on its life, with a reason of its own', () => {
  const token = withClaims({ nbf: NOW, exp: NOW + 7200 });
  const by = { token: proof(token), audience: PROOF_AUDIENCE };
  expect(refusal(() => verifyWitSvid(token, BUNDLES, by, { now: NOW, maxLifetime: 3600 })).rule).toBe('WIT-21');
  expect(verifyWitSvid(token, BUNDLES, by, { now: NOW, maxLifetime: 7200 }).token).toBe(token);
});

it('[WIT-24] [WIT-25] has no audience, in any form, and other claims are ignored', () => {
  expect(acceptedBy(['x', ['x'], [], '', null].map((aud) => withClaims({ aud })))).toEqual([]);
  expect(acceptedBy([withClaims({ role: 'admin', iss: 'spire' })])).toHaveLength(1);
});

it('[WIT-27] is nothing without a proof', () => {
  const bearer = verifyWitSvid as unknown as (
    token: string,
    bundles: unknown,
    proof: unknown,
    options: unknown,
  ) => unknown;
  for (const nothing of [
    undefined,
    {},
    { token: '', audience: PROOF_AUDIENCE },
    { token: wit(), audience: PROOF_AUDIENCE },
  ])
    expect(() => bearer(wit(), BUNDLES, nothing, { now: NOW })).toThrow();
});

it('[WIT-28] is bound to a proof by its own key and algorithm, for this very token and target', () => {
  const token = wit();
  const other = withClaims({ jti: 'other' });
  const proofs = [
    proof(token, {}, KEYS.stranger),
    proof(token, {}, KEYS.wit),
    proof(token, { header: { alg: 'ES384' }, sign: { key: KEYS.workload, digest: 'sha384' } }),
    proof(other),
    proof(token, { claims: { aud: 'https://z.test/api' } }),
    proof(token, { header: { typ: 'JWT' } }),
  ];
  expect(accepted(proofs, (by) => verify(token, by))).toEqual([]);
});

it('[WIT-34] [WIT-35] [WAPI-40] believes only keys that are there for WIT-SVIDs', () => {
  const jwk = (name: 'p384' | 'stranger' | 'rsa') => publicJwk(createPublicKey(KEYS[name]));
  const keys = [
    { ...jwk('p384'), use: 'jwt-svid', kid: 'j' },
    { ...jwk('stranger'), kid: 'n' },
    { ...jwk('rsa'), use: 'x509-svid', kid: 'x' },
  ];
  const bundle = parseBundleDocument(TrustDomain.parse('a.test'), JSON.stringify({ keys }));
  const tokens = [
    wit({ header: { kid: 'j', alg: 'ES384' } }, KEYS.p384),
    wit({ header: { kid: 'n' } }, KEYS.stranger),
    wit({ header: { kid: 'x', alg: 'RS256' } }, KEYS.rsa),
  ];
  const judge = (token: string) =>
    verifyWitSvid(token, { bundleFor: () => bundle }, { token: proof(token), audience: PROOF_AUDIENCE }, { now: NOW });
  expect(accepted(tokens, judge)).toEqual([]);
  expect(
    acceptedBy([wit({ header: { kid: 'p256' } }, KEYS.p256), withClaims({ sub: 'spiffe://x509.test/x' })]),
  ).toEqual([]);
});

it('[WIT-36] is no JWT-SVID', () => {
  const judge = (token: string) => verifyJwtSvid(token, BUNDLES, ['y'], { now: NOW });
  const disguised = wit({ header: { typ: 'JWT' }, claims: { aud: 'y' } });
  expect(accepted([wit(), withClaims({ aud: 'y' }), disguised], judge)).toEqual([]);
});

it('[WIT-37] limits the life of a proof', () => {
  const token = wit();
  const proofs = [undefined, NOW + 3600, NOW - 600].map((exp) => proof(token, { claims: { exp } }));
  expect(accepted(proofs, (by) => verify(token, by))).toEqual([]);
});

it('[WIT-39] can refuse a proof that was used before', () => {
  const seen = new Set<string>();
  const token = wit();
  const firstUse = ({ jti }: { jti: string }) => !seen.has(jti) && seen.add(jti).size > 0;
  const once = () =>
    verifyWitSvid(token, BUNDLES, { token: proof(token), audience: PROOF_AUDIENCE, firstUse }, { now: NOW });
  expect(once().token).toBe(token);
  expect(refusal(once).rule).toBe('WIT-39');
});
