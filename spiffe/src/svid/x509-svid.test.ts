import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SpiffeId } from '../id/spiffe-id.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { generateKey, pkcs8Of } from '../keys/private-key.ts';
import { localSigner } from '../keys/signer.ts';
import { spkiOf } from '../keys/spki.ts';
import { errorOf } from '../testing/error-of.ts';
import { bits, CA, type Forgery, forge, forgeCa, NOW } from '../testing/forge-certificate.ts';
import { concatCertificates } from '../x509/certificates.ts';
import { X509Issuer } from '../x509/issue.ts';
import { selfSignedCa } from '../x509/self-signed-ca.ts';
import { X509Svid } from './x509-svid.ts';

const root = forgeCa('root');
const intermediate = forgeCa('intermediate', { by: root });

describe('X509Svid', () => {
  it('reads a chain and a key', () => {
    const { certificate, key } = forge({ by: intermediate });
    const svid = X509Svid.parse(concatCertificates([certificate, intermediate.certificate]), pkcs8Of(key), 'main');
    expect([String(svid.id), svid.chain.length, svid.hint]).toEqual(['spiffe://a.test/x', 2, 'main']);
    expect(svid.leaf.raw).toEqual(certificate.raw);
    expect(svid.privateKey.equals(key)).toBe(true);
    expect(X509Svid.parse(certificate.raw, pkcs8Of(key)).hint).toBe('');
  });

  it('reads what our issuer makes', async () => {
    const signer = localSigner(generateKey('ec-p384'));
    const key = generateKey('rsa-2048');
    const validity = { notBefore: NOW, notAfter: NOW + 10, serial: new Uint8Array(randomBytes(16)) };
    const trustDomain = TrustDomain.parse('a.test');
    const ca = await selfSignedCa(signer, { trustDomain, subject: { commonName: 'ca' }, ...validity });
    const request = { id: SpiffeId.parse('spiffe://a.test/x'), spki: spkiOf(key), ...validity };
    const leaf = await new X509Issuer(signer, ca).issueLeaf(request);
    expect(X509Svid.fromParts([leaf], key).id.path).toBe('/x');
  });

  it.each<[string, string | undefined, Forgery]>([
    ['no URI SAN', 'X509-03', { uris: [] }],
    ['a CA', 'X509-29', { basicConstraints: CA }],
    ['no digitalSignature', 'X509-H1', { keyUsage: bits(5, 0x20) }],
    ['keyCertSign', 'X509-30', { keyUsage: bits(2, 0x84) }],
    ['cRLSign', 'X509-30', { keyUsage: bits(1, 0x82) }],
    ['an ID without a path', 'X509-32', { uris: ['spiffe://example.org'] }],
  ])('refuses a leaf with %s', (_, rule, forgery) => {
    const { certificate, key } = forge(forgery);
    expect(errorOf(() => X509Svid.parse(certificate.raw, pkcs8Of(key)))).toMatchObject({ code: 'invalid-svid', rule });
  });

  it('refuses an intermediate that is none', () => {
    const { certificate, key } = forge();
    const with2 = (forgery: Forgery) => () => X509Svid.fromParts([certificate, forgeCa('i', forgery).certificate], key);
    expect(errorOf(with2({ basicConstraints: undefined })).rule).toBe('X509-14');
    expect(errorOf(with2({ keyUsage: bits(1, 0x02) })).rule).toBe('X509-19');
    expect(errorOf(with2({ keyUsage: undefined })).rule).toBe('X509-19');
  });

  it('refuses no certificate, another key, and bytes that are neither', () => {
    const { certificate, key } = forge();
    const pkcs8 = pkcs8Of(key);
    expect(errorOf(() => X509Svid.parse(new Uint8Array(), pkcs8)).code).toBe('invalid-svid');
    expect(errorOf(() => X509Svid.parse(certificate.raw, pkcs8Of(generateKey('ec-p256')))).code).toBe('invalid-svid');
    expect(errorOf(() => X509Svid.parse(Uint8Array.of(1, 2, 3), pkcs8)).code).toBe('malformed-der');
    expect(errorOf(() => X509Svid.parse(Uint8Array.of(...certificate.raw, 0), pkcs8)).code).toBe('malformed-der');
    expect(errorOf(() => X509Svid.parse(certificate.raw, Uint8Array.of(1, 2, 3))).code).toBe('unsupported-key');
  });
});
