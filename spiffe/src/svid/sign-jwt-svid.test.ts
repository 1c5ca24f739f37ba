import { generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { SpiffeError } from '../errors.ts';
import { SpiffeId } from '../id/spiffe-id.ts';
import { localSigner } from '../keys/signer.ts';
import { TEST_KEYS, type TestKey } from '../testing/test-keys.ts';
import { TOKEN_BUNDLES } from '../testing/token-world.ts';
import { type JwtSvidContent, signJwtSvid } from './sign-jwt-svid.ts';
import { verifyJwtSvid } from './verify-jwt-svid.ts';

const now = 1_800_000_000;
const id = SpiffeId.parse('spiffe://a.test/x');
const content: JwtSvidContent = { id, audience: ['y', 'z'], issuedAt: now + 0.9, expiresAt: now + 300.9 };
const signerOf = (key: TestKey) => ({ kid: key, signer: localSigner(TEST_KEYS[key].privateKey) });

async function refusal(changes: Partial<JwtSvidContent>, key: TestKey = 'p256'): Promise<unknown> {
  return signJwtSvid(signerOf(key), { ...content, ...changes }).then(
    () => 'signed',
    (error: unknown) => (error instanceof SpiffeError ? (error.rule ?? error.code) : (error as Error).name),
  );
}

describe('signJwtSvid', () => {
  it.each([
    ['p256', 'ES256'],
    ['p384', 'ES384'],
    ['p521', 'ES512'],
    ['rsa', 'RS256'],
  ] as const)('signs with a %s key what jose and we verify', async (key, alg) => {
    // Many times, because the numbers of an ECDSA signature change their length in DER.
    for (let round = 0; round < (key === 'p384' ? 40 : 300); round++) {
      const token = await signJwtSvid(signerOf(key), content);
      expect(decodeProtectedHeader(token)).toEqual({ alg, kid: key, typ: 'JWT' });
      expect(verifyJwtSvid(token, TOKEN_BUNDLES, ['z'], { now }).id.equals(id)).toBe(true);
      if (round % 10 !== 0) continue;
      const currentDate = new Date(now * 1000);
      const { payload } = await jwtVerify(token, TEST_KEYS[key].publicKey, { audience: 'y', currentDate });
      expect(payload).toEqual({ aud: ['y', 'z'], exp: now + 300, iat: now, sub: 'spiffe://a.test/x' });
    }
  });

  it('adds issuer, id and further claims', async () => {
    const token = await signJwtSvid(signerOf('p256'), {
      ...content,
      issuer: 'https://issuer.test',
      jti: 'abc',
      extra: { role: ['r'], ü: '€' },
    });
    const { claims } = verifyJwtSvid(token, TOKEN_BUNDLES, ['y'], { now });
    expect(claims).toMatchObject({ iss: 'https://issuer.test', jti: 'abc', role: ['r'], ü: '€' });
  });

  it('refuses what no verifier could accept', async () => {
    expect(await refusal({ audience: [] })).toBe('JWT-09');
    expect(await refusal({ audience: ['y', ''] })).toBe('JWT-09');
    expect(await refusal({ audience: ['\ud800'] })).toBe('JWT-09');
    expect(await refusal({ id: SpiffeId.parse('spiffe://a.test') })).toBe('JWT-H3');
    expect(await refusal({ audience: ['y'.repeat(70_000)] })).toBe('invalid-token');
    expect(await refusal({}, 'ed25519')).toBe('JWT-04');
  });

  it('refuses a misuse by its caller', async () => {
    expect(await refusal({ expiresAt: Number.NaN })).toBe('TypeError');
    for (const name of ['sub', 'aud', 'exp', 'iat', 'nbf', 'iss', 'jti']) {
      expect(await refusal({ extra: { [name]: 1 } })).toBe('TypeError');
    }
    const nameless = { ...signerOf('p256'), kid: '' };
    await expect(signJwtSvid(nameless, content)).rejects.toThrow(TypeError);
  });

  it('waits for a signer that is far away, and notices one that answers in another form', async () => {
    const { publicKey } = TEST_KEYS.p256;
    const local = localSigner(TEST_KEYS.p256.privateKey);
    const far = { ...local, sign: async (data: Uint8Array) => local.sign(data) };
    const token = await signJwtSvid({ kid: 'p256', signer: far }, content);
    expect(verifyJwtSvid(token, TOKEN_BUNDLES, ['y'], { now }).token).toBe(token);
    for (const answer of [new Uint8Array(64).fill(0x30), new Uint8Array(0), Uint8Array.of(0x30, 0)]) {
      const broken = { type: local.type, publicKey, sign: () => answer };
      await expect(signJwtSvid({ kid: 'p256', signer: broken }, content)).rejects.toThrow(TypeError);
    }
    const other = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    const larger = { ...local, sign: (data: Uint8Array) => localSigner(other.privateKey).sign(data) };
    await expect(signJwtSvid({ kid: 'p256', signer: larger }, content)).rejects.toThrow(TypeError);
  });
});
