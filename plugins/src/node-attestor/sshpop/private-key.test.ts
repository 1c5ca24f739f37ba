import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readCertificate } from './certificate.ts';
import { readPrivateKey } from './private-key.ts';
import { publicKeyOf } from './public-key.ts';
import { signatureHolds, signWith } from './signature.ts';
import { SshFormatError } from './ssh-reader.ts';
import { blobOf, vector } from './testing/vectors.ts';

const TEXT = Buffer.from('text');
const openssh = (bytes: Uint8Array) =>
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(bytes).toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
const bytesOf = (name: string) => Buffer.from(vector(name).replaceAll(/-----.*-----|\n/g, ''), 'base64');

describe('readPrivateKey', () => {
  it.each([
    ['ed25519', 'ed25519'],
    ['ecdsa256', 'ecdsa256'],
    ['ecdsa384', 'ecdsa384'],
    ['ecdsa521', 'ecdsa521'],
    ['rsa', 'rsa'],
    ['rsa_pem', 'rsa'],
    ['rsa_pkcs8', 'rsa'],
    ['ecdsa256_pem', 'ecdsa256'],
    ['ecdsa256_pkcs8', 'ecdsa256'],
  ])('reads %s of ssh-keygen and signs for its certificate', (name, kind) => {
    const key = readPrivateKey(vector(name));
    const { key: certified } = readCertificate(blobOf(`${kind}-cert.pub`));
    expect(Buffer.from(publicKeyOf(key).blob).equals(certified.blob)).toBe(true);
    for (let attempt = 0; attempt < 20; attempt++) {
      expect(signatureHolds(certified, TEXT, signWith(key, TEXT))).toBe(true);
    }
    expect(signatureHolds(certified, Buffer.from('other'), signWith(key, TEXT))).toBe(false);
  });

  it.each([
    ['ed25519_locked', 'passphrase'],
    ['rsa_pem_locked', 'passphrase'],
    ['rsa_pkcs8_locked', 'passphrase'],
    ['dsa', 'unsupported type "ssh-dss"'],
    ['ca.pub', 'holds no private key'],
    ['ed25519-cert.pub', 'holds no private key'],
  ])('says of %s what is wrong, and nothing that is in it', (name, message) => {
    expect(() => readPrivateKey(vector(name))).toThrow(message);
    const secret = vector(name).split('\n')[1] ?? '-';
    if (secret !== '') expect(() => readPrivateKey(vector(name))).not.toThrow(secret);
  });

  it.each([
    ['', 'holds no private key'],
    ['PuTTY-User-Key-File-3: ssh-ed25519\n', 'PuTTY'],
    [openssh(Buffer.from('openssh-key-v2\0')), 'no private key of OpenSSH'],
    [openssh(new Uint8Array()), 'cut off'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'broken or of an unsupported kind'],
    [generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'not supported'],
    ...[
      generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
      generateKeyPairSync('ed448'),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    ].map(({ privateKey }) => [privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'not supported']),
    [
      createPublicKey(readPrivateKey(vector('rsa')))
        .export({ type: 'spki', format: 'pem' })
        .toString(),
      'but a public key',
    ],
  ])('%#: %s', (text, message) => {
    expect(() => readPrivateKey(text)).toThrow(message);
  });

  it('reads lines of any system', () => {
    for (const name of ['ed25519', 'rsa_pem']) {
      const key = readPrivateKey(vector(name).replaceAll('\n', '\r\n'));
      expect(key.equals(readPrivateKey(vector(name)))).toBe(true);
    }
  });

  it('believes no key in which a byte was changed, however it ends', () => {
    for (const name of ['ed25519', 'ecdsa256']) {
      const whole = bytesOf(name);
      const { blob } = publicKeyOf(readPrivateKey(vector(name)));
      for (let at = 0; at < whole.length; at++) {
        const changed = Uint8Array.from(whole);
        changed[at] = (changed[at] ?? 0) ^ 1;
        try {
          // What is not looked at is the comment, the key derivation of a key that is not locked, and the inner public key.
          expect(Buffer.from(publicKeyOf(readPrivateKey(openssh(changed))).blob).equals(blob)).toBe(true);
        } catch (error) {
          expect(error, `${name} ${at}`).toBeInstanceOf(SshFormatError);
        }
      }
    }
  });
});

describe('signatures', () => {
  const rsa = readPrivateKey(vector('rsa'));
  const key = publicKeyOf(rsa);
  const signed = signWith(rsa, TEXT);

  it('are made with SHA-512 by RSA keys, and believed with SHA-1 only if allowed', async () => {
    expect(signed.format).toBe('rsa-sha2-512');
    const { sign } = await import('node:crypto');
    const sha1 = { format: 'ssh-rsa', blob: sign('sha1', TEXT, rsa) };
    expect(() => signatureHolds(key, TEXT, sha1)).toThrow('SHA-1');
    expect(signatureHolds(key, TEXT, sha1, { allowSha1: true })).toBe(true);
    expect(signatureHolds(key, TEXT, { ...sha1, format: 'rsa-sha2-256' })).toBe(false);
  });

  it.each([
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'rsa-sha2-1024',
    '',
    'constructor',
    'rsa-sha2-512-cert-v01@openssh.com',
  ])('of an RSA key have no algorithm %j', (format) => {
    expect(() => signatureHolds(key, TEXT, { ...signed, format })).toThrow(SshFormatError);
  });

  it('of ECDSA keys have one form for each number', () => {
    const ecdsa = readPrivateKey(vector('ecdsa256'));
    const good = signWith(ecdsa, TEXT);
    const holds = (blob: Uint8Array) => signatureHolds(publicKeyOf(ecdsa), TEXT, { ...good, blob });
    expect(holds(good.blob)).toBe(true);
    expect(() => holds(Buffer.concat([good.blob, Buffer.alloc(1)]))).toThrow(SshFormatError);
    expect(() => holds(good.blob.subarray(1))).toThrow(SshFormatError);
    const tooGreat = Buffer.concat([Buffer.from([0, 0, 0, 40]), Buffer.alloc(40, 1)]);
    expect(holds(Buffer.concat([tooGreat, tooGreat]))).toBe(false);
    const zero = Buffer.alloc(4);
    expect(() => holds(Buffer.concat([zero, zero]))).toThrow(SshFormatError);
  });
});
