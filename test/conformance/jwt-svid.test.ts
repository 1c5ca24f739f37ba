import { createPublicKey, sign } from 'node:crypto';
import { parseBundleDocument, publicJwk, TrustDomain, verifyJwtSvid } from '@steeple/spiffe';
import { forgeToken } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { accepted, refusal } from './refusal.ts';
import { BUNDLES, jwt, KEYS, NOW, signatureFor } from './token-world.ts';

const verify = (token: string, audience: readonly string[] = ['y']) =>
  verifyJwtSvid(token, BUNDLES, audience, { now: NOW });
const acceptedBy = (tokens: readonly string[]) => accepted(tokens, (token) => verify(token));
const withHeader = (header: Record<string, unknown>) => jwt({ header });
const withClaims = (claims: Record<string, unknown>) => jwt({ claims });
const [head = '', body = '', signature = ''] = jwt().split('.');

it('[JWT-01] [JWT-17] accepts the compact form only, strictly written', () => {
  const json = [
    JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
    JSON.stringify({ payload: body, protected: head, signature }),
  ];
  const compact = [
    `${head}.${body}`,
    `${jwt()}.${signature}`,
    `${jwt()}==`,
    `${head}.${body}.${'+/'.repeat(43)}`,
    `${head}.${body.slice(0, 8)}\n${body.slice(8)}.${signature}`,
    ` ${jwt()}`,
    `${jwt()}\n`,
    `${head}..${signature}`,
    '',
  ];
  expect(acceptedBy([...json, ...compact])).toEqual([]);
});

it('[JWT-06] accepts a token without a key id if any JWT key of the subject’s trust domain made it', () => {
  const token = jwt({ header: { kid: undefined, alg: 'ES384' } }, KEYS.p384);
  expect(verify(token).id.path).toBe('/x');
  expect(acceptedBy([jwt({ header: { kid: undefined } }, KEYS.otherDomain)])).toEqual([]);
  const strict = { now: NOW, allowMissingKid: false };
  expect(refusal(() => verifyJwtSvid(token, BUNDLES, ['y'], strict)).rule).toBe('JWT-06');
});

it('[JWT-08] needs a subject that is a SPIFFE ID', () => {
  const subjects = [
    undefined,
    '',
    1,
    ['spiffe://a.test/x'],
    null,
    'x',
    'https://a.test/x',
    'spiffe://a.test/',
    'spiffe://A.test/x',
  ];
  expect(acceptedBy(subjects.map((sub) => withClaims({ sub })))).toEqual([]);
});

it('[JWT-24] accepts other claims, returns them, and lets an id come twice', () => {
  const token = withClaims({ jti: 'j', iss: 'https://issuer.test', 'https://a.test/role': { deep: [1, null] } });
  for (let time = 0; time < 2; time++)
    expect(verify(token).claims).toMatchObject({ jti: 'j', 'https://a.test/role': { deep: [1, null] } });
});

it('[JWT-03] refuses what is no plain JWS: five parts, and a nested token', () => {
  expect(
    acceptedBy([`${jwt()}..`, jwt({ header: { enc: 'A256GCM', alg: 'dir' } }), withHeader({ cty: 'JWT' })]),
  ).toEqual([]);
});

it('[JWT-05] refuses every algorithm that is not one of the nine', () => {
  const secret = createPublicKey(KEYS.p256).export({ type: 'spki', format: 'pem' }) as string;
  const others = ['None', 'EdDSA', 'ES256K', 'es256', '', undefined, ['ES256'], null].map((alg) => withHeader({ alg }));
  const none = jwt({ header: { alg: 'none' }, sign: { none: true } });
  const hmac = jwt({ header: { alg: 'HS256' }, sign: { secret: Buffer.from(secret) } });
  expect(acceptedBy([none, hmac, ...others])).toEqual([]);
  const nine = [
    ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const).map((alg) => ({ alg, kid: 'rsa' as const })),
    { alg: 'ES256', kid: 'p256' as const },
    { alg: 'ES384', kid: 'p384' as const },
    { alg: 'ES512', kid: 'p521' as const },
  ].map(({ alg, kid }) => jwt({ header: { alg, kid } }, KEYS[kid]));
  expect(acceptedBy(nine)).toEqual(nine);
});

it('[JWT-07] accepts no type but JWT and JOSE', () => {
  const good = [undefined, 'JWT', 'JOSE'].map((typ) => withHeader({ typ }));
  expect(acceptedBy(good)).toEqual(good);
  expect(acceptedBy(['jwt', 'at+jwt', 'wit+jwt', '', 1, null].map((typ) => withHeader({ typ })))).toEqual([]);
});

it('[JWT-10] [JWT-16] needs an audience among which is its own, byte for byte', () => {
  const wrong = [undefined, [], '', ['x'], 'yy', 'Y', ' y', null, { y: 1 }].map((aud) => withClaims({ aud }));
  expect(acceptedBy(wrong)).toEqual([]);
  const right = ['y', ['y'], ['x', 'y']].map((aud) => withClaims({ aud }));
  expect(acceptedBy(right)).toEqual(right);
  expect(refusal(() => verify(jwt(), [])).code).toBe('wrong-audience');
  expect(acceptedBy([withClaims({ exp: undefined })])).toEqual([]);
});

it('[JWT-13] refuses a token that never expires', () => {
  expect(acceptedBy([undefined, null].map((exp) => withClaims({ exp })))).toEqual([]);
});

it('[JWT-14] judges the algorithm before anything else and asks for no key', () => {
  const untouched = { bundleFor: () => expect.unreachable('a bundle was asked for') };
  for (const payload of ['{', 'x'.repeat(20_000), '{"sub":1}']) {
    const token = forgeToken({ alg: 'none', kid: 'p256' }, payload, signatureFor('ES256', KEYS.p256));
    expect(refusal(() => verifyJwtSvid(token, untouched, ['y'], { now: NOW })).rule).toBe('JWT-05');
  }
});

it('[JWT-15] holds to the expiry, with a little leeway', () => {
  expect(acceptedBy([NOW - 600, '1893456000', null, [1]].map((exp) => withClaims({ exp })))).toEqual([]);
  const good = [NOW - 30, NOW + 0.5].map((exp) => withClaims({ exp }));
  expect(acceptedBy(good)).toEqual(good);
});

it('[JWT-22] [JWT-23] believes only keys that are there for JWT-SVIDs', () => {
  const entry = (use: string | undefined, name: 'wit' | 'p384' | 'stranger' | 'p256', kid: string) => ({
    ...publicJwk(createPublicKey(KEYS[name])),
    kid,
    ...(use === undefined ? {} : { use }),
  });
  const keys = [
    entry('wit-svid', 'wit', 'w'),
    entry(undefined, 'p384', 'n'),
    entry('sig', 'stranger', 's'),
    entry('x509-svid', 'p256', 'x'),
  ];
  const bundle = parseBundleDocument(TrustDomain.parse('a.test'), JSON.stringify({ keys }));
  const tokens = [
    jwt({ header: { kid: 'w' } }, KEYS.wit),
    jwt({ header: { kid: 'n', alg: 'ES384' } }, KEYS.p384),
    jwt({ header: { kid: 's' } }, KEYS.stranger),
    jwt({ header: { kid: 'x' } }, KEYS.p256),
    jwt({ header: { kid: undefined } }, KEYS.wit),
  ];
  const judge = (token: string) => verifyJwtSvid(token, { bundleFor: () => bundle }, ['y'], { now: NOW });
  expect(accepted(tokens, judge)).toEqual([]);
  expect(acceptedBy([withClaims({ sub: 'spiffe://x509.test/x' })])).toEqual([]);
});

it('[JWT-25] checks the signature over the received bytes, with the right key and the right algorithm', () => {
  const der = sign('sha256', Buffer.from(`${head}.${body}`), KEYS.p256).toString('base64url');
  const short = Buffer.from(signature, 'base64url').subarray(0, -1).toString('base64url');
  const wrong = [
    jwt({}, KEYS.stranger),
    jwt({ header: { alg: 'RS256' } }, KEYS.rsa),
    `${head}.${body}.${der}`,
    `${head}.${body}.${short}`,
    `${head}.${body}.`,
    jwt({ header: { kid: 'p384' } }, KEYS.p384),
    `${head}.${Buffer.from(`${Buffer.from(body, 'base64url').toString()} `).toString('base64url')}.${signature}`,
  ];
  expect(acceptedBy(wrong)).toEqual([]);
  expect(acceptedBy([jwt()])).toHaveLength(1);
});

it('[JWT-26] does not start validating without an audience of its own', () => {
  for (const none of [[], ['']]) expect(refusal(() => verify(jwt(), none)).rule).toBe('JWT-26');
  expect(refusal(() => verify(withClaims({ exp: NOW - 600 }))).code).toBe('expired');
});

it('[JWT-H1] refuses unknown and critical header parameters, and never takes a key from the token', () => {
  const jwk = publicJwk(createPublicKey(KEYS.stranger));
  const params = [{ x: 1 }, { crit: ['x'] }, { crit: [] }, { crit: 'x' }, { b64: true }, { zip: 'DEF' }, { x5c: [] }];
  expect(acceptedBy(params.map(withHeader))).toEqual([]);
  const carried = [{ jwk }, { jku: 'https://a.test/jwks' }, { x5u: 'https://a.test/x' }].map((header) =>
    jwt({ header }, KEYS.stranger),
  );
  expect(acceptedBy(carried)).toEqual([]);
});

it('[JWT-H2] refuses a token that has not begun, repeats a member or is no object', () => {
  const signed = signatureFor('ES256', KEYS.p256);
  const header = { alg: 'ES256', kid: 'p256' };
  const claims = `"sub":"spiffe://a.test/x","aud":"y","exp":${NOW + 9}`;
  const forged = [
    withClaims({ nbf: NOW + 3600 }),
    forgeToken(header, `{${claims},"aud":"y"}`, signed),
    forgeToken('{"alg":"ES256","kid":"p256","kid":"p256"}', `{${claims}}`, signed),
    ...['[]', '"x"', 'null', '1', ''].map((payload) => forgeToken(header, payload, signed)),
  ];
  expect(acceptedBy(forged)).toEqual([]);
  expect(acceptedBy([forgeToken(header, `{${claims}}`, signed)])).toHaveLength(1);
});

it('[JWT-H3] refuses the ID of a whole trust domain', () => {
  expect(acceptedBy([withClaims({ sub: 'spiffe://a.test' })])).toEqual([]);
});

it('[WAPI-50] takes the bundle of the subject’s trust domain, whatever key id both have', () => {
  expect(acceptedBy([withClaims({ sub: 'spiffe://b.test/x' })])).toEqual([]);
  expect(acceptedBy([jwt({ claims: { sub: 'spiffe://b.test/x' } }, KEYS.otherDomain)])).toHaveLength(1);
  expect(refusal(() => verify(withClaims({ sub: 'spiffe://c.test/x' }))).code).toBe('no-bundle');
});
