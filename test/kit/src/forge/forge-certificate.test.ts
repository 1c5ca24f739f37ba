import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { brokenLeaves, goodLeaf, goodRoot } from './broken-leaves.ts';
import { forgeCertificate } from './forge-certificate.ts';

const now = Date.now() / 1000;

describe('forgeCertificate, judged by OpenSSL', () => {
  const root = forgeCertificate(goodRoot('a.test', now));
  const rootCertificate = new X509Certificate(root.der);

  it('makes a root that signs itself', () => {
    expect(rootCertificate.ca).toBe(true);
    expect(rootCertificate.subjectAltName).toBe('URI:spiffe://a.test');
    expect(rootCertificate.verify(rootCertificate.publicKey)).toBe(true);
  });

  it('makes a good leaf under it', () => {
    const leaf = new X509Certificate(forgeCertificate({ ...goodLeaf('spiffe://a.test/w', now), issuer: root }).der);
    expect(leaf.checkIssued(rootCertificate)).toBe(true);
    expect(leaf.verify(rootCertificate.publicKey)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(leaf.validFromDate.getTime()).toBe(Math.floor(now - 60) * 1000);
  });

  it('makes broken leaves that are still certificates', () => {
    const broken = Object.entries(brokenLeaves('a.test', now));
    expect(broken.length).toBeGreaterThan(10);
    for (const [name, options] of broken) {
      const leaf = new X509Certificate(forgeCertificate({ ...options, issuer: root }).der);
      expect(leaf.verify(rootCertificate.publicKey), name).toBe(true);
    }
  });

  it('signs with another key when told to', () => {
    const stranger = forgeCertificate(goodRoot('a.test', now));
    const leaf = forgeCertificate({
      ...goodLeaf('spiffe://a.test/w', now),
      issuer: root,
      signWith: stranger.privateKey,
    });
    expect(new X509Certificate(leaf.der).verify(rootCertificate.publicKey)).toBe(false);
  });

  it('leaves out what is not asked for', () => {
    const bare = new X509Certificate(forgeCertificate({ notBefore: now, notAfter: now + 1 }).der);
    expect(bare.subjectAltName).toBeUndefined();
    expect(bare.keyUsage).toBeUndefined();
  });
});
