import * as fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { BundleSet } from '../bundle/bundle-set.ts';
import { tokenAuthority } from '../bundle/token-authority.ts';
import { TrustBundle } from '../bundle/trust-bundle.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { errorOf } from '../testing/error-of.ts';
import { type Forgery, forgeToken } from '../testing/forge-token.ts';
import { readVectors } from '../testing/read-vectors.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { TOKEN_BUNDLES } from '../testing/token-world.ts';
import { parseJwtSvidUnverified } from './jwt-svid.ts';
import { verifyJwtSvid } from './verify-jwt-svid.ts';

interface Vectors {
  now: number;
  valid: (Forgery & { name: string })[];
  invalid: (Forgery & { name: string; rule: string; code: string; token?: string })[];
}
const vectors = readVectors('jwt-svid.json') as Vectors;
const { now } = vectors;
const good = {
  header: { alg: 'ES256', kid: 'p256', typ: 'JWT' },
  claims: { sub: 'spiffe://a.test/x', aud: ['y'], exp: now + 300, iat: now },
  key: 'p256',
} as const;
const forge = (forgery: Forgery = {}): string => forgeToken(forgery, good);
const verify = (token: string, audience: readonly string[] = ['y']) =>
  verifyJwtSvid(token, TOKEN_BUNDLES, audience, { now });

describe('verifyJwtSvid', () => {
  it.each(vectors.valid)('accepts: $name', (vector) => {
    const { id, audience, claims } = verify(forge(vector));
    expect(id.toString()).toBe(claims['sub']);
    expect(audience).toContain('y');
  });

  it.each(vectors.invalid)('refuses: $name ($rule)', (vector) => {
    const { code, rule } = errorOf(() => verify(vector.token ?? forge(vector)));
    expect({ code, rule }).toEqual({ code: vector.code, rule: vector.rule });
  });

  it('returns what the token says', () => {
    const token = forge({ claims: { n: 1 } });
    expect(verify(token)).toMatchObject({
      token,
      audience: ['y'],
      expiresAt: now + 300,
      issuedAt: now,
      hint: '',
      claims: { n: 1 },
    });
    expect(verify(forge({ dropClaims: ['iat'] })).issuedAt).toBeUndefined();
  });

  it('refuses to work without an audience of its own (JWT-26)', () => {
    for (const audience of [[], [''], ['y', '']]) {
      expect(errorOf(() => verify(forge(), audience)).rule).toBe('JWT-26');
    }
    expect(() => verify(forge(), 'y' as unknown as string[])).toThrow(TypeError);
  });

  it('refuses a leeway of more than two minutes, and a time that is none', () => {
    for (const options of [
      { now, leeway: 121 },
      { now, leeway: -1 },
      { now, leeway: Number.NaN },
      { now: Number.NaN },
    ]) {
      expect(() => verifyJwtSvid(forge(), TOKEN_BUNDLES, ['y'], options)).toThrow(RangeError);
    }
  });

  it('forgives exactly the leeway', () => {
    const expired = forge({ claims: { exp: now - 20 } });
    expect(verifyJwtSvid(expired, TOKEN_BUNDLES, ['y'], { now, leeway: 21 }).expiresAt).toBe(now - 20);
    expect(errorOf(() => verifyJwtSvid(expired, TOKEN_BUNDLES, ['y'], { now, leeway: 20 })).code).toBe('expired');
  });

  it('can insist on a key id (JWT-06)', () => {
    const token = forge({ dropHeader: ['kid'] });
    const strict = { now, allowMissingKid: false };
    expect(errorOf(() => verifyJwtSvid(token, TOKEN_BUNDLES, ['y'], strict)).rule).toBe('JWT-06');
  });

  it('asks for no bundle before the algorithm is known to be allowed (JWT-14)', () => {
    const source = {
      bundleFor: () => {
        throw new Error('asked');
      },
    };
    const token = forge({ header: { alg: 'none' }, as: 'p1363' });
    expect(errorOf(() => verifyJwtSvid(token, source, ['y'], { now })).rule).toBe('JWT-05');
  });

  it('does not take the bundle of another trust domain from a confused source', () => {
    const wrong = { bundleFor: () => TOKEN_BUNDLES.get(TrustDomain.parse('a.test')) };
    const token = forge({ claims: { sub: 'spiffe://c.test/x' } });
    expect(errorOf(() => verifyJwtSvid(token, wrong, ['y'], { now })).code).toBe('no-bundle');
  });

  it('tries at most 16 keys for a token without a key id', () => {
    const authority = (index: number, key: 'stranger' | 'p256') =>
      tokenAuthority(`${key}${index}`, TEST_KEYS[key].publicKey);
    const strangers = Array.from({ length: 16 }, (_, index) => authority(index, 'stranger'));
    const bundleOf = (count: number) =>
      BundleSet.of(
        TrustBundle.of(TrustDomain.parse('a.test'), {
          jwtAuthorities: [...strangers.slice(0, count), authority(0, 'p256')],
        }),
      );
    const token = forge({ dropHeader: ['kid'] });
    expect(verifyJwtSvid(token, bundleOf(15), ['y'], { now }).token).toBe(token);
    expect(errorOf(() => verifyJwtSvid(token, bundleOf(16), ['y'], { now })).code).toBe('untrusted');
  });

  it('says nothing of the token in its errors', () => {
    for (const vector of vectors.invalid) {
      const token = vector.token ?? forge(vector);
      const { message } = errorOf(() => verify(token));
      for (const piece of token.split('.')) if (piece.length > 8) expect(message).not.toContain(piece.slice(0, 8));
    }
  });

  it('never accepts a token in which anything was changed', () => {
    const token = forge();
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, replacement) => {
        const changed = token.slice(0, at) + replacement + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(errorOf(() => verify(changed))).toBeDefined();
      }),
      { numRuns: 1500 },
    );
  });

  it('answers any text with a SpiffeError', () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((p) => p.join('.')),
    );
    fc.assert(
      fc.property(text, (token) => {
        expect(errorOf(() => verify(token)).code).toBe('invalid-token');
      }),
    );
  });

  it('verifies what jose signed', async () => {
    for (const [alg, key] of [
      ['ES256', 'p256'],
      ['ES384', 'p384'],
      ['ES512', 'p521'],
      ['PS512', 'rsa'],
    ] as const) {
      const token = await new SignJWT({ sub: 'spiffe://a.test/x' })
        .setProtectedHeader({ alg, kid: key, typ: 'JWT' })
        .setAudience('y')
        .setIssuedAt(now)
        .setExpirationTime(now + 60)
        .sign(TEST_KEYS[key].privateKey);
      expect(verify(token).expiresAt).toBe(now + 60);
    }
  });
});

describe('parseJwtSvidUnverified', () => {
  const withoutTrust = new Set(['no-bundle', 'untrusted']);
  const structural = vectors.invalid.filter(({ code, name }) => !withoutTrust.has(code) && !/nbf|kid is/.test(name));

  it.each(structural)('refuses: $name ($rule)', (vector) => {
    const parse = () => parseJwtSvidUnverified(vector.token ?? forge(vector), ['y'], { now });
    expect(errorOf(parse).rule).toBe(vector.rule);
  });

  it('reads a token without any bundle, with its hint', () => {
    const token = forge({ key: 'stranger' });
    expect(parseJwtSvidUnverified(token, ['y'], { now, hint: 'internal' })).toMatchObject({ token, hint: 'internal' });
    expect(parseJwtSvidUnverified(forge({ claims: { exp: 1 } }), ['y']).expiresAt).toBe(1);
    expect(errorOf(() => parseJwtSvidUnverified(forge({ dropClaims: ['exp'] }), ['y'])).rule).toBe('JWT-13');
  });
});
