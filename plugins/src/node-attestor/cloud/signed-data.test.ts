import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { issue } from '../x509pop/certificates-for-tests.ts';
import { AZURE_SAMPLE } from './azure-sample.fixture.ts';
import { encodeElement as der, readBer } from './ber.ts';
import { awsSignedData, azureSignedData } from './cms-for-tests.ts';
import { isSignedBy } from './signed-by.ts';
import { readSignedData } from './signed-data.ts';

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const signer = { key, certificate: new X509Certificate(issue({ key }).certificate.raw) };
const malformed = expect.objectContaining({ name: 'IssuerError', code: 'invalid-argument' });

describe('signed data', () => {
  it("reads and verifies Microsoft's own example", () => {
    const data = readSignedData(Buffer.from(AZURE_SAMPLE, 'base64'));
    expect(JSON.parse(Buffer.from(data.content).toString())).toMatchObject({ nonce: '1234566766', vmId: '' });
    const [certificate] = data.certificates.map((one) => new X509Certificate(one));
    expect(certificate?.subject).toBe('CN=testsubdomain.metadata.azure.com');
    expect(certificate && isSignedBy(certificate.publicKey, data)).toBe(true);
    const altered = { ...data, content: Buffer.from('{}') };
    expect(certificate && isSignedBy(certificate.publicKey, altered)).toBe(false);
  });

  it.each([0, 1, 999, 1000, 1001, 5000])(
    'brings back %d bytes of content, in pieces and indefinite lengths or not',
    (length) => {
      const content = Buffer.alloc(length, 'ab');
      for (const bytes of [awsSignedData(content, signer), azureSignedData(content, [signer], [signer.certificate])]) {
        const data = readSignedData(bytes);
        expect(Buffer.from(data.content).equals(content)).toBe(true);
        expect(isSignedBy(signer.certificate.publicKey, data)).toBe(true);
      }
    },
  );

  it('is not signed by a key of another family, or with a weak digest', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    const bytes = awsSignedData(Buffer.from('x'), signer);
    expect(isSignedBy(ec, readSignedData(bytes))).toBe(false);
    const sha1 = Buffer.from(bytes).toString('hex').replaceAll('0609608648016503040201', '06052b0e03021a0605002a00');
    expect(() => isSignedBy(signer.certificate.publicKey, readSignedData(Buffer.from(sha1, 'hex')))).toThrow(malformed);
  });

  it('has exactly one signer', () => {
    for (const signers of [[], [signer, signer]]) {
      expect(() => readSignedData(azureSignedData(Buffer.from('x'), signers, []))).toThrow(malformed);
    }
  });

  it('survives having any byte cut off or changed', () => {
    const bytes = awsSignedData(Buffer.from('{"a":1}'), signer);
    for (let end = 0; end < bytes.length; end++)
      expect(() => readSignedData(bytes.subarray(0, end))).toThrow(malformed);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      try {
        const data = readSignedData(changed);
        // Whoever reads another content must not find it signed.
        if (!Buffer.from(data.content).equals(Buffer.from('{"a":1}'))) {
          expect(isSignedBy(signer.certificate.publicKey, data)).toBe(false);
        }
      } catch (error) {
        expect(error).toEqual(malformed);
      }
    }
  });
});

describe('BER', () => {
  const nested = (depth: number): Uint8Array =>
    depth === 0 ? der(0x05, new Uint8Array()) : der(0x30, nested(depth - 1));

  it.each([
    ['nothing', new Uint8Array()],
    ['a tag without a length', Uint8Array.of(0x30)],
    ['a long tag', Uint8Array.of(0x1f, 0x81, 0x01, 0x00)],
    ['a primitive of indefinite length', Uint8Array.of(0x04, 0x80, 0, 0)],
    ['contents that do not end', Uint8Array.of(0x30, 0x80, 0x05, 0)],
    ['a length beyond the end', Uint8Array.of(0x04, 0x05, 1)],
    ['a huge length', Uint8Array.of(0x04, 0x84, 0xff, 0xff, 0xff, 0xff)],
    ['more than one element', Uint8Array.of(5, 0, 5, 0)],
    ['an octet string of numbers', Uint8Array.of(0x24, 0x03, 2, 1, 1)],
    ['deep nesting', nested(30)],
    ['endless openings', Buffer.alloc(60_000, Buffer.from([0x30, 0x80]))],
    ['very many elements', der(0x30, Buffer.alloc(20_000, Buffer.from([5, 0])))],
  ])('refuses %s', (_name, bytes) => {
    expect(() => readBer(bytes)).toThrow(malformed);
  });

  it('gives the same DER for either form of length', () => {
    const definite = der(0x30, Buffer.concat([der(0x04, Buffer.from('abcd')), der(0x02, Uint8Array.of(5))]));
    const pieces = Buffer.from([0x30, 0x80, 0x24, 0x80, 4, 1, 0x61, 4, 3, 0x62, 0x63, 0x64, 0, 0, 2, 1, 5, 0, 0]);
    for (const bytes of [pieces, definite]) expect(Buffer.from(readBer(bytes).der).equals(definite)).toBe(true);
  });
});
