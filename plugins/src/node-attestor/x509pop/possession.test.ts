import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PossessionProof } from './messages.ts';
import { formatResponse, parseChallenge, parsePayload, parseResponse } from './messages.ts';
import { possessionProven, proofKindOf, provePossession } from './possession.ts';

const challenge = Buffer.alloc(32, 7);
const own = Buffer.alloc(32, 9);
const keys: readonly [string, KeyObject][] = [
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
];

/** Proofs until one has a number with a leading zero byte, which must then be missing from the message. */
function shortProof(key: KeyObject, size: number): Extract<PossessionProof, { kind: 'ecdsa' }> {
  // One in 128 is short; ten thousand without one are a fault.
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const proof = provePossession(key, challenge, own);
    if (proof.kind === 'ecdsa' && (proof.r.length < size || proof.s.length < size)) return proof;
  }
  throw new Error('no proof has a short number');
}

describe('proof of possession', () => {
  it.each(keys)('with %s holds after a trip over the wire', (_name, key) => {
    const proof = parseResponse(formatResponse(provePossession(key, challenge, own)), proofKindOf(key));
    expect(possessionProven(createPublicKey(key), challenge, proof)).toBe(true);
  });

  it.each(keys)('with %s fails for any other key or nonce', (_name, key) => {
    const proof = provePossession(key, challenge, own);
    for (const [, other] of keys) {
      expect(possessionProven(createPublicKey(other), challenge, proof)).toBe(other === key);
    }
    const publicKey = createPublicKey(key);
    expect(possessionProven(publicKey, Buffer.alloc(32, 8), proof)).toBe(false);
    expect(possessionProven(publicKey, challenge, { ...proof, nonce: Buffer.alloc(32, 8) })).toBe(false);
    // The boundary between the two nonces cannot be moved.
    const shifted = { ...proof, nonce: Buffer.concat([own, Buffer.alloc(1)]) };
    expect(possessionProven(publicKey, challenge.subarray(1), shifted)).toBe(false);
  });

  it('sends numbers without leading zeros and takes them with any', () => {
    const [, key] = keys[0] ?? [];
    if (key === undefined) throw new Error('no key');
    const proof = shortProof(key, 32);
    for (const number of [proof.r, proof.s]) expect(number[0]).not.toBe(0);
    const publicKey = createPublicKey(key);
    expect(possessionProven(publicKey, challenge, proof)).toBe(true);
    const padded = {
      ...proof,
      r: Buffer.concat([Buffer.alloc(40), proof.r]),
      s: Buffer.concat([Buffer.alloc(1), proof.s]),
    };
    expect(possessionProven(publicKey, challenge, padded)).toBe(true);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['zero', new Uint8Array(32)],
    ['too much', new Uint8Array(33).fill(1)],
    ['the order of the group', Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')],
  ])('takes %s for no number', (_name, number) => {
    const [, key] = keys[0] ?? [];
    if (key === undefined) throw new Error('no key');
    const proof = provePossession(key, challenge, own);
    const publicKey = createPublicKey(key);
    expect(possessionProven(publicKey, challenge, { ...proof, r: number } as PossessionProof)).toBe(false);
    expect(possessionProven(publicKey, challenge, { ...proof, s: number } as PossessionProof)).toBe(false);
  });

  it('is RSASSA-PSS: a PKCS#1 v1.5 signature is none', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const signature = sign('sha256', Buffer.concat([challenge, own]), key);
    expect(possessionProven(createPublicKey(key), challenge, { kind: 'rsa', nonce: own, signature })).toBe(false);
  });

  it('is not there for other keys', () => {
    const key = generateKeyPairSync('ed25519').privateKey;
    expect(() => proofKindOf(key)).toThrow('unsupported key type');
  });
});

describe('messages', () => {
  it.each([
    '',
    '{}',
    '{"certificates":null}',
    '{"certificates":[]}',
    '{"certificates":["*"]}',
    '{"certificates":[1]}',
    '{"certificates":["AA=="],"certificates":["AQ=="]}',
    '{"certificates":["AA"]}',
  ])('refuse the payload %j', (text) => {
    expect(() => parsePayload(Buffer.from(text))).toThrow('malformed attestation data');
  });

  it.each([
    '{}',
    'null',
    '{"rsa_signature":{"nonce":"AAAA"},"ecdsa_signature":null}',
    '{"ecdsa_signature":{"nonce":""}}',
  ])('refuse the challenge %j', (text) => {
    expect(() => parseChallenge(Buffer.from(text), 'ecdsa')).toThrow('malformed challenge');
  });
});
