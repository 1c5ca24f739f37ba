import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { activate, softwareKey } from '../testing/software-keys.ts';
import { ALG } from './algorithms.ts';
import { kdfa } from './key-derivation.ts';
import { makeCredential } from './make-credential.ts';
import { ATTESTATION_KEY, ENDORSEMENT_KEY } from './templates.ts';

const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
/** Template H-3: P-384, AES-256, SHA-384. */
const P384 = Buffer.from(ENDORSEMENT_KEY.ecc);
P384.writeUInt16BE(ALG.sha384, 2);
P384.writeUInt16BE(256, 10 + 32 + 2);
P384.writeUInt16BE(4, 10 + 32 + 8);

it.each([
  ['RSA', softwareKey(rsa, ENDORSEMENT_KEY.rsa)],
  ['P-256', softwareKey(p256, ENDORSEMENT_KEY.ecc)],
  ['P-384 with AES-256 and SHA-384', softwareKey(p384, P384)],
])('an endorsement key of %s reveals the secret, for one name only', (_name, endorsement) => {
  const name = Buffer.concat([Buffer.from('000b', 'hex'), randomBytes(32)]);
  for (const size of [16, 32]) {
    const secret = randomBytes(size);
    const { blob, encryptedSeed } = makeCredential(endorsement.area, name, secret, randomBytes);
    expect(activate(endorsement, name, blob, encryptedSeed)).toEqual(secret);
    const other = Buffer.from(name);
    other.writeUInt8(other.readUInt8(7) ^ 1, 7);
    expect(activate(endorsement, other, blob, encryptedSeed)).toBeUndefined();
    const altered = Buffer.from(blob);
    altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1);
    expect(activate(endorsement, name, altered, encryptedSeed)).toBeUndefined();
  }
  expect(() => makeCredential(endorsement.area, name, randomBytes(65), randomBytes)).toThrow('longer than a digest');
});

it('a key that protects nothing gets no credential', () => {
  const signing = softwareKey(rsa, ATTESTATION_KEY);
  expect(() => makeCredential(signing.area, signing.area.name, randomBytes(32), randomBytes)).toThrow('symmetric');
});

it('derives as many bits as asked for', () => {
  const hash = { name: 'sha256', size: 32 } as const;
  const long = kdfa(hash, Buffer.alloc(32), 'L', Buffer.alloc(0), 512);
  expect(long).toHaveLength(64);
  expect(kdfa(hash, Buffer.alloc(32), 'L', Buffer.alloc(0), 128)).not.toEqual(long.subarray(0, 16));
});
