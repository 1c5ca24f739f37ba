import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, readCertificate } from './certificate.ts';
import { judgeHostCertificate } from './host-certificate.ts';
import { publicKeyOf, readPublicKey } from './public-key.ts';
import { SshFormatError } from './ssh-reader.ts';
import { sshPositive, sshString } from './ssh-writer.ts';
import { AUTHORITY, makeCertificate } from './testing/certificates.ts';
import { blobOf } from './testing/vectors.ts';

describe('readCertificate', () => {
  it.each(['ed25519', 'ecdsa256', 'ecdsa384', 'ecdsa521', 'rsa'])('reads what ssh-keygen made for %s', (kind) => {
    const certificate = readCertificate(blobOf(`${kind}-cert.pub`));
    expect(certificate).toMatchObject({
      serial: 7n,
      kind: 2,
      keyId: `id ${kind}`,
      principals: ['node-1.example.org', 'node-1'],
      validAfter: 1577836800n,
      validBefore: 2208988800n,
    });
    expect(certificate.key.type).toBe(kind.startsWith('ecdsa') ? `ecdsa-sha2-nistp${kind.slice(5)}` : `ssh-${kind}`);
    expect(Buffer.from(certificate.authority.blob).equals(blobOf('ca.pub'))).toBe(true);
    expect(fingerprintOf(certificate)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('reads options and extensions', () => {
    expect([...readCertificate(blobOf('critical-cert.pub')).criticalOptions]).toEqual([['foo@example.org', 'bar']]);
    expect([...readCertificate(blobOf('extension-cert.pub')).extensions]).toEqual([['rack@example.org', 'r1']]);
    const made = makeCertificate({
      extensions: [
        ['a', ''],
        ['b', 'x'],
      ],
    });
    expect([...readCertificate(made).extensions]).toEqual([
      ['a', ''],
      ['b', 'x'],
    ]);
  });

  it.each([
    [
      'names out of order',
      makeCertificate({
        extensions: [
          ['b', ''],
          ['a', ''],
        ],
      }),
    ],
    [
      'a name twice',
      makeCertificate({
        options: [
          ['a', 'x'],
          ['a', 'y'],
        ],
      }),
    ],
    ['a plain key', blobOf('ca.pub')],
    ['more than 32 KiB', makeCertificate({ principals: ['x'.repeat(33_000)] })],
    ['something after the end', Buffer.concat([makeCertificate(), Buffer.alloc(1)])],
    ['a DSA key', blobOf('dsa-cert.pub')],
    ['nothing', new Uint8Array()],
    ['a certificate as its authority', withAuthority(blobOf('ed25519-cert.pub'))],
    ['a small RSA key as its authority', withAuthority(smallRsa())],
    ['an unknown key type', Buffer.concat([sshString('x-cert-v01@openssh.com'), sshString('n')])],
    [
      'the name of a member of every object',
      Buffer.concat([sshString('constructor-cert-v01@openssh.com'), sshString('')]),
    ],
  ])('refuses %s', (_name, blob) => {
    expect(() => readCertificate(blob)).toThrow(SshFormatError);
  });

  it('refuses every prefix of a certificate', () => {
    const whole = blobOf('rsa-cert.pub');
    for (let length = 0; length < whole.length; length++) {
      expect(() => readCertificate(whole.subarray(0, length)), String(length)).toThrow(SshFormatError);
    }
  });

  it('believes no certificate in which a bit was changed', () => {
    const authorities = [publicKeyOf(AUTHORITY)];
    const whole = makeCertificate({ principals: ['a', 'b'], extensions: [['x', 'y']] });
    expect(judgeHostCertificate(readCertificate(whole), { authorities, now: 5 })).toBe('a');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const changed = Uint8Array.from(whole);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(() => judgeHostCertificate(readCertificate(changed), { authorities, now: 5 })).toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('takes any bytes for a certificate or says why not', () => {
    const start = sshString('ssh-ed25519-cert-v01@openssh.com');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.uint8Array({ maxLength: 40 }).map(sshString), { maxLength: 14 })
        .map((all) => Buffer.concat([start, ...all])),
    );
    fc.assert(
      fc.property(bytes, (blob) => {
        try {
          readCertificate(blob);
        } catch (error) {
          expect(error).toBeInstanceOf(SshFormatError);
        }
      }),
    );
  });
});

describe('readPublicKey', () => {
  const rsa = (e: number[], n: Uint8Array) =>
    Buffer.concat([sshString('ssh-rsa'), sshPositive(Buffer.from(e)), sshPositive(n)]);
  const modulus = Buffer.alloc(256, 0xff);
  it.each([
    ['RSA with exponent 1', rsa([1], modulus)],
    ['RSA with an even exponent', rsa([2], modulus)],
    ['RSA with a great exponent', rsa([1, 0, 0, 0, 1], modulus)],
    ['RSA with an even modulus', rsa([3], Buffer.concat([modulus.subarray(1), Buffer.from([0xfe])]))],
    ['RSA of 1024 bits', rsa([3], Buffer.alloc(128, 0xff))],
    ['RSA of 8200 bits', rsa([3], Buffer.alloc(1025, 0xff))],
    [
      'RSA in another form',
      Buffer.concat([sshString('ssh-rsa'), sshString(Buffer.from([0, 3])), sshPositive(modulus)]),
    ],
    ['Ed25519 with 31 bytes', Buffer.concat([sshString('ssh-ed25519'), sshString(Buffer.alloc(31))])],
    ['a point that is on no curve', ecdsa('nistp256', Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]))],
    ['the point at infinity', ecdsa('nistp256', Buffer.from([0]))],
    ['a compressed point', ecdsa('nistp256', Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 1)]))],
    ['the point of another curve', ecdsa('nistp384', Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]))],
    ['a security key', Buffer.concat([sshString('sk-ssh-ed25519@openssh.com'), sshString('x'), sshString('ssh:')])],
  ])('refuses %s', (_name, blob) => {
    expect(() => readPublicKey(blob)).toThrow(SshFormatError);
  });

  it('writes what it read', () => {
    for (const name of ['ca.pub', 'ca_rsa.pub', 'ca_ecdsa.pub']) {
      const key = readPublicKey(blobOf(name));
      expect(Buffer.from(key.blob).equals(blobOf(name)), name).toBe(true);
      expect(Buffer.from(publicKeyOf(key.key).blob).equals(blobOf(name)), name).toBe(true);
    }
  });
});

function ecdsa(curve: string, point: Uint8Array): Uint8Array {
  return Buffer.concat([sshString(`ecdsa-sha2-${curve}`), sshString(curve), sshString(point)]);
}

function smallRsa(): Uint8Array {
  return Buffer.concat([sshString('ssh-rsa'), sshPositive(Buffer.from([3])), sshPositive(Buffer.alloc(128, 0xff))]);
}

/** A certificate that names another authority's key than the one that signed it. */
function withAuthority(blob: Uint8Array): Uint8Array {
  const whole = makeCertificate({ authority: AUTHORITY });
  const own = Buffer.from(sshString(publicKeyOf(AUTHORITY).blob));
  const at = Buffer.from(whole).lastIndexOf(own);
  return Buffer.concat([whole.subarray(0, at), sshString(blob), whole.subarray(at + own.length)]);
}
