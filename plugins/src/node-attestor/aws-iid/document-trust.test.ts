import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attribute } from '../cloud/cms-for-tests.ts';
import { issue } from '../x509pop/certificates-for-tests.ts';
import { documentOf, INSTANCE, rsa2048Of, SIGNER } from './aws-for-tests.ts';
import { DocumentTrust, type DocumentTrustOptions } from './document-trust.ts';
import { parsePayload } from './messages.ts';
import { partitionOf } from './partition.ts';
import { RSA_1024_CERTIFICATES } from './rsa-1024-certificates.ts';
import { RSA_2048_CERTIFICATES } from './rsa-2048-certificates.ts';

const trust = (options: Partial<DocumentTrustOptions> = {}) =>
  new DocumentTrust({
    partition: 'aws',
    certificates: new Map([[INSTANCE.region, SIGNER.certificate]]),
    acceptRsa1024: true,
    ...options,
  });
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const stranger = { key, certificate: new X509Certificate(issue({ key }).certificate.raw) };

const judge = (document: string, rsa2048: string, options: Partial<DocumentTrustOptions> = {}) =>
  trust(options).judge({ document, rsa2048, signature: '' });
const refused = (message: string) =>
  expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(message) });

describe('an instance identity document', () => {
  it('is believed if its region signed it', () => {
    expect(judge(documentOf(), rsa2048Of(documentOf()))).toEqual({
      accountId: INSTANCE.accountId,
      region: INSTANCE.region,
      instanceId: INSTANCE.instanceId,
      imageId: 'ami-07cc75e9e8f9300eb',
      availabilityZone: 'test-local-1a',
    });
  });

  it('is not, beside the good signature of another document (SPIRE 1.14.6)', () => {
    const genuine = rsa2048Of(documentOf());
    const forged = documentOf({ instanceId: 'i-00000000' });
    expect(() => judge(forged, genuine)).toThrow(refused('does not match the verified PKCS7 content'));
    expect(() => judge(`${documentOf()} `, genuine)).toThrow(refused('does not match'));
  });

  it('is not, signed by anybody else, for another region, or with the wrong digest inside', () => {
    const document = documentOf();
    const failed = refused('failed verification');
    expect(() => judge(document, rsa2048Of(document, stranger))).toThrow(failed);
    // The stranger names the region's certificate as the signer's.
    expect(() => judge(document, rsa2048Of(document, { ...stranger, certificate: SIGNER.certificate }))).toThrow(
      failed,
    );
    expect(() => judge(document, rsa2048Of(document, SIGNER, { digestInside: Buffer.alloc(32) }))).toThrow(failed);
    const otherType = Buffer.from('06092a864886f70d010702', 'hex');
    expect(() => judge(document, rsa2048Of(document, SIGNER, { contentType: otherType }))).toThrow(failed);
    const elsewhere = documentOf({ region: 'us-west-2' });
    expect(() => judge(elsewhere, rsa2048Of(elsewhere))).toThrow(failed);
    const unknown = documentOf({ region: 'test-local-2' });
    expect(() => judge(unknown, rsa2048Of(unknown))).toThrow(refused('no AWS certificate is known'));
  });

  it('is not, with an attribute twice', () => {
    const again = attribute('messageDigest', Buffer.from(`0420${'00'.repeat(32)}`, 'hex'));
    const twice = rsa2048Of(documentOf(), SIGNER, { extraAttributes: [again] });
    expect(() => judge(documentOf(), twice)).toThrow(refused('twice'));
  });

  it('is not without a signature, or with one that is none', () => {
    expect(() => judge(documentOf(), '')).toThrow(refused('cryptographic signature is required'));
    for (const text of [
      'bad signature',
      '====',
      'AAAA',
      'MIAGCSqGSIb3DQEHAqCAMIAC',
      rsa2048Of(documentOf()).slice(0, -8),
    ]) {
      expect(() => judge(documentOf(), text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
  });

  it('is judged by its RSA-2048 signature, if it has one, whatever the other says', () => {
    const document = documentOf({ region: 'us-east-1' });
    const signature = sign('sha256', Buffer.from(document), key).toString('base64');
    expect(() => trust().judge({ document, rsa2048: '', signature })).toThrow(refused('failed to verify'));
    const weak = () => trust({ acceptRsa1024: false }).judge({ document, rsa2048: '', signature });
    expect(weak).toThrow(refused('only the RSA-2048 signature'));
  });

  it.each([
    ['accountId', '../123'],
    ['accountId', '12345678901'],
    ['region', 'us-east-1.evil.test/'],
    ['region', 'us-east-1@evil-1'],
    ['region', '__proto__'],
    ['instanceId', 'i-../../admin'],
    ['instanceId', null],
    ['imageId', 'ami 1'],
    ['availabilityZone', ''],
  ])('with %s %j reaches no address and no path', (member, value) => {
    const document = documentOf({ [member]: value });
    expect(() => judge(document, rsa2048Of(document))).toThrow(refused(`no usable ${member}`));
  });

  it('of another partition is refused', () => {
    for (const region of ['cn-north-1', 'us-gov-west-1', 'eusc-de-east-1']) {
      const document = documentOf({ region });
      const judging = () => judge(document, rsa2048Of(document));
      expect(judging).toThrow(expect.objectContaining({ code: 'permission-denied' }));
      expect(() => judge(document, rsa2048Of(document), { partition: partitionOf(region) })).toThrow(
        'failed verification',
      );
    }
  });

  it('may name a member once', () => {
    const twice = documentOf().replace('{', '{ "instanceId": "i-00000000",');
    expect(() => judge(twice, rsa2048Of(twice))).toThrow(refused('not readable'));
    expect(() => parsePayload(Buffer.from('{"document":"a","document":"b"}'))).toThrow(refused('not readable'));
  });
});

describe("Amazon's certificates", () => {
  it.each([
    [2048, RSA_2048_CERTIFICATES],
    [1024, RSA_1024_CERTIFICATES],
  ] as const)('of RSA-%d are there for every region, each readable', (bits, certificates) => {
    const list = Object.entries(certificates);
    expect(list.length).toBe(39);
    for (const [region, base64] of list) {
      const { publicKey } = new X509Certificate(Buffer.from(base64, 'base64'));
      expect([region, publicKey.asymmetricKeyDetails?.modulusLength]).toEqual([region, bits]);
    }
  });
});
