import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { publicJwk } from '../jwt/jwk.ts';
import { errorOf } from '../testing/error-of.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { formatJwks, parseJwks } from './jwks.ts';
import { tokenAuthority } from './token-authority.ts';

const authorities = (['p256', 'p384', 'p521', 'rsa'] as const).map((key) =>
  tokenAuthority(key, TEST_KEYS[key].publicKey),
);

describe('formatJwks', () => {
  it('writes an empty set as one (TDB-09)', () => {
    expect(formatJwks([])).toBe('{"keys":[]}');
  });

  it('leaves `use` out for JWT keys and gives that of WIT keys (A7)', () => {
    const usesOf = (text: string) => (JSON.parse(text) as { keys: { use?: string }[] }).keys.map(({ use }) => use);
    expect(usesOf(formatJwks(authorities))).toEqual([undefined, undefined, undefined, undefined]);
    expect(new Set(usesOf(formatJwks(authorities, { use: 'wit-svid' })))).toEqual(new Set(['wit-svid']));
  });

  it('is understood by an ordinary library', async () => {
    const keys = createLocalJWKSet(JSON.parse(formatJwks(authorities)) as JSONWebKeySet);
    for (const [kid, alg] of [
      ['p256', 'ES256'],
      ['p384', 'ES384'],
      ['p521', 'ES512'],
      ['rsa', 'RS256'],
    ] as const) {
      const token = await new SignJWT({ a: 1 }).setProtectedHeader({ alg, kid }).sign(TEST_KEYS[kid].privateKey);
      await expect(jwtVerify(token, keys)).resolves.toMatchObject({ payload: { a: 1 } });
    }
  });
});

describe('parseJwks', () => {
  it.each(['jwt', 'wit'] as const)('reads back %s keys, with and without `use`', (kind) => {
    for (const text of [
      formatJwks(authorities),
      formatJwks(authorities).replaceAll('"kty"', `"use":"${kind}-svid","kty"`),
    ]) {
      const read = parseJwks(text, kind);
      expect(read.map(({ kid }) => kid)).toEqual(['p256', 'p384', 'p521', 'rsa']);
      expect(read.every(({ publicKey }, index) => publicKey.equals(authorities[index]?.publicKey ?? publicKey))).toBe(
        true,
      );
    }
  });

  it('drops keys of another use, and what it does not know', () => {
    const jwk = publicJwk(TEST_KEYS.p256.publicKey);
    const uses = ['x509-svid', 'jwt-svid', 'wit-svid', 'sig', 'JWT-SVID', '', null, undefined];
    const keys = [
      ...uses.map((use, index) => ({ ...jwk, use, kid: `k${index}` })),
      { kty: 'AKP', kid: 'n' },
      { ...jwk },
    ];
    const seen: number[] = [];
    const read = parseJwks(JSON.stringify({ keys }), 'jwt', { onIgnored: ({ index }) => seen.push(index) });
    expect(read.map(({ kid }) => kid)).toEqual(['k1', 'k7']);
    expect(seen).toEqual([0, 2, 3, 4, 5, 6, 8, 9]);
    expect(parseJwks(JSON.stringify({ keys }), 'wit').map(({ kid }) => kid)).toEqual(['k2', 'k7']);
  });

  it('refuses what is no JWK Set', () => {
    for (const text of ['{}', '{"keys":null}', '[]'])
      expect(errorOf(() => parseJwks(text, 'jwt')).code).toBe('invalid-bundle');
    expect(errorOf(() => parseJwks('{"keys":[]', 'wit')).code).toBe('malformed-json');
  });
});
