import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../testing/error-of.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { privateJwk, privateKeyFromJwk, publicJwk, publicKeyFromJwk } from './jwk.ts';

const reread = (jwk: object) => JSON.parse(JSON.stringify(jwk)) as Record<string, string>;

describe('JWK', () => {
  it.each(['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const)('of a %s key goes out and back', (name) => {
    const { publicKey, privateKey } = TEST_KEYS[name];
    expect(publicKeyFromJwk(reread(publicJwk(publicKey))).equals(publicKey)).toBe(true);
    expect(publicJwk(privateKey)).toEqual(publicJwk(publicKey));
    expect(publicJwk(publicKey)).toEqual(publicKey.export({ format: 'jwk' }));
  });

  it('of a private key carries its algorithm', () => {
    for (const [name, alg] of [
      ['p256', 'ES256'],
      ['p384', 'ES384'],
      ['p521', 'ES512'],
      ['rsa', 'RS256'],
    ] as const) {
      const { privateKey } = TEST_KEYS[name];
      const jwk = reread(privateJwk(privateKey));
      expect(jwk['alg']).toBe(alg);
      expect(privateKeyFromJwk(jwk).equals(privateKey)).toBe(true);
    }
    expect(privateJwk(TEST_KEYS.rsa.privateKey, { alg: 'PS512' }).alg).toBe('PS512');
    expect(errorOf(() => privateJwk(TEST_KEYS.p256.privateKey, { alg: 'PS512' })).code).toBe('unsupported-key');
    expect(errorOf(() => privateJwk(TEST_KEYS.ed25519.privateKey)).code).toBe('unsupported-key');
    expect(() => privateJwk(TEST_KEYS.p256.publicKey)).toThrow(TypeError);
  });

  it('is refused when it is not sound', () => {
    const ec = reread(publicJwk(TEST_KEYS.p256.publicKey));
    const rsa = reread(publicJwk(TEST_KEYS.rsa.publicKey));
    const { n = '', e = '' } = rsa;
    for (const jwk of [
      {},
      { ...ec, kty: 'oct' },
      { ...ec, crv: 'P-384' },
      { ...ec, crv: 'secp256k1' },
      { ...ec, x: ec['y'] ?? '' },
      { ...ec, x: `${ec['x']}=` },
      { ...ec, x: `AAAA${ec['x']}` },
      { ...ec, d: 'AAAA' },
      { kty: 'OKP', crv: 'Ed448', x: 'A'.repeat(76) },
      { ...rsa, n: n.slice(0, 100) },
      { ...rsa, e: 'AQ' },
      { ...rsa, e: 'AAAA' },
      { ...rsa, n: `${n.slice(0, -1)}${n.endsWith('A') ? 'Q' : 'A'}` },
      { n, e },
    ]) {
      expect(errorOf(() => publicKeyFromJwk(jwk)).code).toBe('unsupported-key');
    }
  });

  it('of a private key is refused without saying anything of it', () => {
    const jwk = reread(privateJwk(TEST_KEYS.p256.privateKey));
    for (const broken of [
      { ...jwk, d: 'AAAA' },
      { ...jwk, d: '+' },
      { ...jwk, x: 'AAAA' },
      { kty: 'RSA', d: jwk['d'] ?? '' },
    ]) {
      const { code, message } = errorOf(() => privateKeyFromJwk(broken));
      expect(code).toBe('unsupported-key');
      expect(message).not.toContain(jwk['d']);
    }
    expect(createPublicKey(TEST_KEYS.p256.privateKey).equals(TEST_KEYS.p256.publicKey)).toBe(true);
  });
});
