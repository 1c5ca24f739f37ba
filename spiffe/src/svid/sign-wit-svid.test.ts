import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { SpiffeError } from '../errors.ts';
import { SpiffeId } from '../id/spiffe-id.ts';
import { privateJwk, publicJwk } from '../jwt/jwk.ts';
import { localSigner } from '../keys/signer.ts';
import { errorOf } from '../testing/error-of.ts';
import { TEST_KEYS, type TestKey } from '../testing/test-keys.ts';
import { TOKEN_BUNDLES } from '../testing/token-world.ts';
import { parseHeldWitSvid } from './held-wit-svid.ts';
import { makeProofToken } from './make-proof-token.ts';
import { signWitSvid, type WitSvidContent } from './sign-wit-svid.ts';
import { verifyWitSvid } from './verify-wit-svid.ts';

const now = 1_800_000_000;
const id = SpiffeId.parse('spiffe://a.test/x');
const key = { kid: 'wit', signer: localSigner(TEST_KEYS.wit.privateKey) };
const audience = 'https://y.test/api';

function sign(holder: TestKey, changes: Partial<WitSvidContent> = {}): Promise<string> {
  const { publicKey } = TEST_KEYS[holder];
  return signWitSvid(key, { id, publicKey, issuedAt: now, expiresAt: now + 300, ...changes });
}

async function refusal(holder: TestKey, changes: Partial<WitSvidContent> = {}): Promise<unknown> {
  return sign(holder, changes).then(
    () => 'signed',
    (error: unknown) => (error instanceof SpiffeError ? (error.rule ?? error.code) : error),
  );
}

describe('signWitSvid', () => {
  it.each([
    ['workload', undefined, 'ES256'],
    ['p384', undefined, 'ES384'],
    ['p521', 'ES512', 'ES512'],
    ['workloadRsa', undefined, 'RS256'],
    ['workloadRsa', 'PS384', 'PS384'],
  ] as const)('binds a %s key (%s), which then proves itself', async (holder, algorithm, expected) => {
    const wit = await sign(holder, { algorithm });
    const { privateKey, publicKey } = TEST_KEYS[holder];
    const token = makeProofToken(wit, privateKey, { audience, now, jti: 'j' });
    const svid = verifyWitSvid(wit, TOKEN_BUNDLES, { token, audience }, { now });
    expect(svid.algorithm).toBe(expected);

    const currentDate = new Date(now * 1000);
    await jwtVerify(wit, TEST_KEYS.wit.publicKey, { typ: 'wit+jwt', currentDate });
    const { payload } = await jwtVerify(token, publicKey, { typ: 'wpt+jwt', audience, currentDate });
    expect(payload.exp).toBe(now + 60);
  });

  it('says nothing else', async () => {
    const wit = await sign('workload', { jti: 'j', issuer: 'spiffe://a.test' });
    expect(decodeProtectedHeader(wit)).toEqual({ alg: 'ES256', kid: 'wit', typ: 'wit+jwt' });
    const jwk = { ...publicJwk(TEST_KEYS.workload.publicKey), alg: 'ES256' };
    expect(decodeJwt(wit)).toEqual({
      cnf: { jwk },
      exp: now + 300,
      iat: now,
      iss: 'spiffe://a.test',
      jti: 'j',
      sub: 'spiffe://a.test/x',
    });
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kty', 'x', 'y']);
  });

  it('binds only the public half of a key', async () => {
    const wit = await sign('workload', { publicKey: TEST_KEYS.workload.privateKey });
    expect(decodeJwt<{ cnf: { jwk: object } }>(wit).cnf.jwk).not.toHaveProperty('d');
  });

  it('refuses what no verifier could accept', async () => {
    expect(await refusal('ed25519')).toBe('JWT-04');
    expect(await refusal('workload', { algorithm: 'RS256' })).toBe('WIT-H1');
    expect(await refusal('workload', { algorithm: 'ES384' })).toBe('WIT-H1');
    expect(await refusal('workload', { algorithm: 'HS256' })).toBe('WIT-H1');
    expect(await refusal('secp256k1')).toBe('unsupported-key');
    expect(await refusal('workload', { id: SpiffeId.parse('spiffe://a.test') })).toBe('JWT-H3');
    expect(await refusal('workload', { issuer: 'HTTPS://issuer.test' })).toBe('WIT-23');
  });
});

describe('makeProofToken', () => {
  it('refuses another key, and an audience that is no target', async () => {
    const wit = await sign('workload');
    const make = (holder: TestKey, target = audience) =>
      makeProofToken(wit, TEST_KEYS[holder].privateKey, { audience: target, now, jti: 'j' });
    expect(errorOf(() => make('stranger')).code).toBe('invalid-proof');
    for (const target of ['', `${audience}?x=1`, `${audience}#x`]) {
      expect(errorOf(() => make('workload', target)).rule).toBe('WIT-28');
    }
  });

  it('refuses a life of more than five minutes, and no id', async () => {
    const wit = await sign('workload');
    const { privateKey } = TEST_KEYS.workload;
    for (const lifetime of [0, -1, 301, Number.NaN]) {
      expect(() => makeProofToken(wit, privateKey, { audience, now, jti: 'j', lifetime })).toThrow(RangeError);
    }
    expect(() => makeProofToken(wit, privateKey, { audience, now, jti: '' })).toThrow(TypeError);
  });
});

describe('parseHeldWitSvid', () => {
  const jwkText = (holder: TestKey, changes: object = {}): string =>
    JSON.stringify({ ...privateJwk(TEST_KEYS[holder].privateKey), ...changes });

  it('reads what an agent delivers', async () => {
    for (const holder of ['workload', 'workloadRsa', 'p521'] as const) {
      const token = await sign(holder);
      const held = parseHeldWitSvid(token, jwkText(holder), 'internal');
      expect(held).toMatchObject({ token, hint: 'internal', expiresAt: now + 300 });
      expect(held.id.equals(id)).toBe(true);
      expect(held.privateKey.equals(TEST_KEYS[holder].privateKey)).toBe(true);
    }
  });

  it('refuses halves that do not belong together (WIT-H1)', async () => {
    const token = await sign('workload');
    const { d } = TEST_KEYS.stranger.privateKey.export({ format: 'jwk' });
    const codeOf = (text: string) => errorOf(() => parseHeldWitSvid(token, text)).code;
    expect(codeOf(jwkText('stranger'))).toBe('invalid-token');
    expect(codeOf(jwkText('workload', { d }))).toBe('unsupported-key');
    expect(codeOf(JSON.stringify(publicJwk(TEST_KEYS.workload.publicKey)))).toBe('unsupported-key');
    expect(codeOf('[]')).toBe('invalid-token');
    expect(codeOf('{"kty":"EC"')).toBe('malformed-json');
  });
});
