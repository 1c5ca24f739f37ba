import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readCertificate } from './certificate.ts';
import { type HostCertificateRules, judgeHostCertificate } from './host-certificate.ts';
import { publicKeyOf, readPublicKey } from './public-key.ts';
import { AUTHORITY, type CertificateParts, makeCertificate } from './testing/certificates.ts';
import { blobOf } from './testing/vectors.ts';

const authorities = ['ca.pub', 'ca_ecdsa.pub', 'ca_rsa.pub'].map((name) => readPublicKey(blobOf(name)));
const NOW = Date.UTC(2030, 0, 1) / 1000;
const judge = (name: string, rules: Partial<HostCertificateRules> = {}) =>
  judgeHostCertificate(readCertificate(blobOf(`${name}-cert.pub`)), { authorities, now: NOW, ...rules });
const judgeMade = (parts: CertificateParts, rules: Partial<HostCertificateRules> = {}) =>
  judgeHostCertificate(readCertificate(makeCertificate(parts)), {
    authorities: [publicKeyOf(AUTHORITY)],
    now: NOW,
    ...rules,
  });

describe('judgeHostCertificate', () => {
  it.each(['ed25519', 'ecdsa256', 'ecdsa384', 'ecdsa521', 'rsa', 'by_ecdsa', 'by_rsa256', 'by_rsa512', 'forever'])(
    'believes what ssh-keygen signed: %s',
    (name) => {
      expect(judge(name)).toBe('node-1.example.org');
    },
  );

  it.each([
    ['by_other', 'not configured'],
    ['by_rsa_sha1', 'SHA-1'],
    ['user', 'no certificate of a host'],
    ['source', 'no certificate of a host'],
    ['expired', 'expired'],
    ['future', 'not yet valid'],
    ['no_principal', 'no principal'],
    ['critical', 'unknown critical option "foo@example.org"'],
  ])('refuses %s of ssh-keygen', (name, message) => {
    expect(() => judge(name)).toThrow(message);
  });

  it('is valid from its start until just before its end', () => {
    const parts = { validAfter: 100n, validBefore: 200n };
    for (const now of [100, 100.5, 199.9]) expect(judgeMade(parts, { now })).toBe('node-1.example.org');
    for (const now of [99.9, 200]) expect(() => judgeMade(parts, { now })).toThrow(/valid|expired/);
    expect(() => judgeMade({ validAfter: 2n ** 63n })).toThrow('not yet valid');
    expect(judgeMade({ validBefore: 2n ** 63n })).toBe('node-1.example.org');
    expect(() => judgeMade({ validAfter: 200n, validBefore: 100n }, { now: 150 })).toThrow('not yet valid');
  });

  it.each([[['']], [[]]])('needs a first principal: %j', (principals) => {
    expect(() => judgeMade({ principals })).toThrow('no principal');
  });

  it('signs with the key of the authority and a fitting algorithm only', () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const forged = (signedPart: Uint8Array) => ({ format: 'ssh-ed25519', blob: sign(null, signedPart, stranger) });
    expect(() => judgeMade({ signature: forged })).toThrow('does not hold');
    const renamed = (signedPart: Uint8Array) => ({ format: 'rsa-sha2-512', blob: sign(null, signedPart, AUTHORITY) });
    expect(() => judgeMade({ signature: renamed })).toThrow('no signature algorithm');
    const empty = () => ({ format: 'ssh-ed25519', blob: new Uint8Array() });
    expect(() => judgeMade({ signature: empty })).toThrow('does not hold');
  });

  it.each([
    ['192.0.2.0/24', '192.0.2.9', true],
    ['192.0.2.9', '192.0.2.9', true],
    ['192.0.2.0/24', '::ffff:192.0.2.9', true],
    ['198.51.100.0/24,2001:db8::/32', '2001:db8::5', true],
    ['192.0.2.0/24', '192.0.3.9', false],
    ['192.0.2.0/33', '192.0.2.9', false],
    ['192.0.2.0/x', '192.0.2.9', false],
    ['!192.0.2.0/24', '192.0.2.9', false],
    ['', '192.0.2.9', false],
    ['192.0.2.0/24', undefined, false],
    ['0.0.0.0/0', 'localhost', false],
  ])('holds the agent to source-address %j: %s', (value, peerAddress, isAccepted) => {
    const judging = () => judgeMade({ options: [['source-address', value]] }, { peerAddress });
    if (isAccepted) expect(judging()).toBe('node-1.example.org');
    else expect(judging).toThrow('source-address');
  });
});
