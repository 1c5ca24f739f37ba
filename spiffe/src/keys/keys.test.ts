import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TAG } from '../der/tags.ts';
import { bitString, encodeOid, NULL, sequence, unsignedInteger } from '../der/writer.ts';
import { decodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import { errorOf } from '../testing/error-of.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { KEY_TYPES, type KeyType, keyTypeOf } from './key-type.ts';
import { generateKey, pkcs8Of, privateKeyFromPkcs8 } from './private-key.ts';
import { localSigner } from './signer.ts';
import { familyOfSpki, publicKeyFromSpki, spkiOf } from './spki.ts';

const TYPES = Object.keys(KEY_TYPES) as KeyType[];
const modulus = decodeModulus(TEST_KEYS.rsa.publicKey);
const rsaSpki = (n: Uint8Array, e: Uint8Array) =>
  sequence(
    sequence(encodeOid('1.2.840.113549.1.1.1'), NULL),
    bitString(sequence(unsignedInteger(n), unsignedInteger(e))),
  );
const changed = (bytes: Uint8Array, index: number, value: number) =>
  Uint8Array.from(bytes, (octet, at) => (at === (index + bytes.length) % bytes.length ? value : octet));

function decodeModulus(key: KeyObject): Uint8Array {
  const { n = '' } = key.export({ format: 'jwk' });
  return Uint8Array.from(atob(n.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

describe('every key type', () => {
  it.each(TYPES)('%s: is made, exported, imported, and signs', async (type) => {
    const key = generateKey(type);
    expect(keyTypeOf(key).type).toBe(type);
    expect(pkcs8Of(privateKeyFromPkcs8(pkcs8Of(key)))).toEqual(pkcs8Of(key));
    const spki = spkiOf(key);
    expect(spkiOf(publicKeyFromSpki(spki))).toEqual(spki);
    expect(familyOfSpki(spki)).toBe(KEY_TYPES[type].family);
    const signer = localSigner(key);
    const data = Uint8Array.of(1, 2, 3);
    const signature = await signer.sign(data);
    expect(verify(KEY_TYPES[type].hash, data, signer.publicKey, signature)).toBe(true);
  });

  it('is no public key for a signer', () => {
    expect(() => localSigner(TEST_KEYS.p256.publicKey)).toThrow(TypeError);
  });
});

describe('unsupported keys', () => {
  const odd = generateKeyPairSync('rsa', { modulusLength: 2300 }).publicKey;
  it('takes RSA sizes in between as the smaller one', () => {
    expect(keyTypeOf(publicKeyFromSpki(spkiOf(odd))).type).toBe('rsa-2048');
  });

  const e65537 = Uint8Array.of(1, 0, 1);
  const p256 = spkiOf(TEST_KEYS.p256.publicKey);
  it.each<[string, Uint8Array]>([
    ['P-224', spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-224' }).publicKey)],
    ['secp256k1', spkiOf(TEST_KEYS.secp256k1.publicKey)],
    ['X25519', spkiOf(generateKeyPairSync('x25519').publicKey)],
    ['Ed448', spkiOf(generateKeyPairSync('ed448').publicKey)],
    ['RSA-PSS keys', spkiOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey)],
    ['RSA of 512 bits', spkiOf(generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey)],
    ['RSA of 1024 bits', spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['RSA of 2047 bits', rsaSpki(changed(modulus, 0, 0x7f), e65537)],
    ['RSA of 8200 bits', rsaSpki(new Uint8Array(1025).fill(0xff), e65537)],
    ['an even modulus without odd factors', rsaSpki(decodeHex(`80${'00'.repeat(255)}`), e65537)],
    ['a modulus divisible by 3', rsaSpki(decodeHex('ff'.repeat(256)), e65537)],
    ['e = 1', rsaSpki(modulus, Uint8Array.of(1))],
    ['e = 2', rsaSpki(modulus, Uint8Array.of(2))],
    ['an even e', rsaSpki(modulus, Uint8Array.of(1, 0, 0))],
    ['a huge e', rsaSpki(modulus, modulus.subarray(1))],
    ['RSA without NULL', sequence(sequence(encodeOid('1.2.840.113549.1.1.1')), bitString(modulus))],
    ['a point off the curve', changed(p256, -1, (p256.at(-1) ?? 0) ^ 1)],
    ['a compressed point', compressed()],
    ['a byte after the key', Uint8Array.of(...p256, 0)],
    ['a key cut short', p256.subarray(0, -1)],
    ['no bytes', new Uint8Array()],
  ])('refuses %s', (_, spki) => {
    expect(errorOf(() => publicKeyFromSpki(spki)).code).toBe('unsupported-key');
  });

  function compressed(): Uint8Array {
    const point = Uint8Array.of(2 + ((p256.at(-1) ?? 0) & 1), ...p256.subarray(27, 59));
    return sequence(p256.subarray(2, 23), bitString(point));
  }

  it('still refuses them when they come as key objects', () => {
    const keys = [TEST_KEYS.secp256k1.publicKey, generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey];
    for (const key of keys) expect(errorOf(() => keyTypeOf(key)).code).toBe('unsupported-key');
    const even = createPublicKey({
      key: { kty: 'RSA', n: TEST_KEYS.rsa.publicKey.export({ format: 'jwk' }).n ?? '', e: 'AQ' },
      format: 'jwk',
    });
    expect(errorOf(() => keyTypeOf(even)).code).toBe('unsupported-key');
  });

  it('says nothing about a broken private key', () => {
    const pkcs8 = pkcs8Of(generateKey('ec-p256'));
    for (const bad of [
      pkcs8.subarray(0, -1),
      Uint8Array.of(...pkcs8, 0),
      changed(pkcs8, 0, TAG.set),
      new Uint8Array(),
    ]) {
      const error = errorOf(() => privateKeyFromPkcs8(bad));
      expect([error.code, error.cause]).toEqual(['unsupported-key', undefined]);
    }
  });

  it('survives any mutation of a key with a SpiffeError at most', () => {
    const inputs = fc.constantFrom(p256, spkiOf(TEST_KEYS.rsa.publicKey), spkiOf(TEST_KEYS.ed25519.publicKey));
    fc.assert(
      fc.property(inputs, fc.nat(), fc.nat(255), (spki, index, value) => {
        const mutated = changed(spki, index % spki.length, value);
        try {
          expect(spkiOf(publicKeyFromSpki(mutated))).toEqual(mutated);
        } catch (error) {
          if (!(error instanceof SpiffeError)) throw error;
          expect(error.code).toBe('unsupported-key');
        }
      }),
      { numRuns: 500 },
    );
  });
});
