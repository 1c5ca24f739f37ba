import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCertificate } from './certificate.ts';
import { readRevokedKeys } from './revoked-keys.ts';
import { SshFormatError } from './ssh-reader.ts';
import { sshString } from './ssh-writer.ts';
import { makeCertificate } from './testing/certificates.ts';
import { blobOf, listOf, vector } from './testing/vectors.ts';

const certificate = (name: string) => readCertificate(blobOf(`${name}-cert.pub`));

/** A list with one section. */
function list(kind: number, content: Uint8Array): Uint8Array {
  const head = Buffer.concat([Buffer.from('SSHKRL\n\0'), Buffer.from([0, 0, 0, 1]), Buffer.alloc(24), Buffer.alloc(8)]);
  return Buffer.concat([head, Buffer.from([kind]), sshString(content)]);
}

describe('revoked keys', () => {
  it.each([
    ['krl_serial', ['ed25519', 'rsa'], ['serial9', 'forever', 'by_ecdsa']],
    ['krl_bitmap', ['ed25519', 'rsa'], ['serial9', 'forever']],
    ['krl_range', ['ed25519', 'rsa', 'serial9'], ['forever', 'by_ecdsa']],
    ['krl_id', ['ed25519'], ['rsa', 'serial9']],
    ['krl_anyca', ['ed25519', 'rsa'], ['serial9', 'by_ecdsa']],
    ['krl_otherca', [], ['ed25519', 'by_other']],
    ['krl_key', ['ed25519', 'serial9', 'by_ecdsa'], ['rsa']],
    ['krl_sha1', ['ed25519', 'serial9'], ['rsa']],
    ['krl_sha256', ['ed25519', 'serial9'], ['rsa']],
    ['krl_ca', ['ed25519', 'rsa'], ['by_ecdsa', 'by_other']],
    ['krl_cert', ['ed25519'], ['serial9', 'by_ecdsa']],
    ['krl_empty', [], ['ed25519', 'rsa']],
  ])('%s of ssh-keygen', (name, revoked, good) => {
    const keys = readRevokedKeys(listOf(name));
    for (const each of revoked) expect(keys.has(certificate(each)), each).toBe(true);
    for (const each of good) expect(keys.has(certificate(each)), each).toBe(false);
  });

  it('may be plain keys, one a line', () => {
    const keys = readRevokedKeys(Buffer.from(`# gone\n\n${vector('rsa.pub')}${vector('other_ca.pub')}`));
    expect(keys.has(certificate('rsa'))).toBe(true);
    expect(keys.has(certificate('by_other'))).toBe(true);
    expect(keys.has(certificate('ed25519'))).toBe(false);
    expect(readRevokedKeys(new Uint8Array()).has(certificate('rsa'))).toBe(false);
  });

  it('a number that no authority gave is not revoked by its number', () => {
    const all = Buffer.concat([Buffer.alloc(8), Buffer.alloc(8, 0xff)]);
    const section = Buffer.concat([sshString(''), sshString(''), Buffer.from([0x21]), sshString(all)]);
    const keys = readRevokedKeys(list(1, section));
    expect(keys.has(readCertificate(makeCertificate({ serial: 0n })))).toBe(false);
    for (const serial of [1n, 2n ** 64n - 1n]) {
      expect(keys.has(readCertificate(makeCertificate({ serial })))).toBe(true);
    }
  });

  it('extensions: only those that are not critical may be unknown', () => {
    const extension = (critical: number) =>
      list(255, Buffer.concat([sshString('x@y'), Buffer.from([critical]), sshString('')]));
    expect(readRevokedKeys(extension(0)).has(certificate('rsa'))).toBe(false);
    expect(() => readRevokedKeys(extension(1))).toThrow('critical extension "x@y"');
    expect(() => readRevokedKeys(list(77, new Uint8Array()))).toThrow('not understood');
  });

  it('what cannot be read revokes nothing silently', () => {
    const whole = listOf('krl_serial');
    for (let length = 1; length < whole.length; length++) {
      if (length === 44) continue; // The end of the head: a list without a section.
      expect(() => readRevokedKeys(whole.subarray(0, length)), String(length)).toThrow(SshFormatError);
    }
    for (const text of ['hello', 'ssh-ed25519 AAAA', Buffer.from([0xff, 0xfe])]) {
      expect(() => readRevokedKeys(Buffer.from(text))).toThrow(SshFormatError);
    }
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        try {
          readRevokedKeys(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(SshFormatError);
        }
      }),
    );
  });
});
