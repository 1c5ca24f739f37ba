import { describe, expect, it } from 'vitest';
import { sequence } from '../der/writer.ts';
import { errorOf } from '../testing/error-of.ts';
import {
  bits,
  CERT_SIGN,
  caWithPathLength,
  dnsName,
  extension,
  type Forgery,
  forge,
  forgeCa,
  NOW,
} from '../testing/forge-certificate.ts';
import { checkIssued, type IssuedExpectation } from './check-issued.ts';
import { encodeName } from './name.ts';

const root = forgeCa('root');
const { key } = root;
const BOTH = bits(1, 0x06);
const good = forge({ by: root, key, names: [dnsName('x.test')] });
const asked: IssuedExpectation = {
  uri: 'spiffe://a.test/x',
  dnsNames: ['x.test'],
  subject: encodeName({ commonName: 'leaf' }),
  spki: root.certificate.spki,
  notBefore: NOW - 1000,
  notAfter: NOW + 1000,
  ca: false,
  pathLength: undefined,
};
const goodCa: Forgery = {
  by: root,
  key,
  uris: ['spiffe://a.test'],
  keyUsage: BOTH,
  basicConstraints: caWithPathLength(1),
};
const askedCa = {
  ...asked,
  uri: 'spiffe://a.test',
  dnsNames: [],
  ca: true,
  pathLength: 1,
  subject: encodeName({ commonName: 'ca' }),
};

describe('checkIssued', () => {
  it('lets through what was asked for', () => {
    checkIssued(good.certificate, root.certificate, { ...asked, notBefore: asked.notBefore + 0.9 });
    checkIssued(forgeCa('ca', goodCa).certificate, root.certificate, askedCa);
  });

  it.each<[string, Partial<IssuedExpectation>]>([
    ['other URI', { uri: 'spiffe://a.test/y' }],
    ['other DNS', { dnsNames: ['y.test'] }],
    ['other DNS', { dnsNames: [] }],
    ['other subject', { subject: sequence() }],
    ['other key', { spki: forge().certificate.spki }],
    ['other begin', { notBefore: NOW }],
    ['other end', { notAfter: NOW }],
    ['basic constraints', { ca: true }],
  ])('stops a certificate with %s than asked for', (message, change) => {
    const error = errorOf(() => checkIssued(good.certificate, root.certificate, { ...asked, ...change }));
    expect(error).toMatchObject({ code: 'invalid-certificate', message: expect.stringContaining(message) });
  });

  it.each<[string, Forgery]>([
    ['unasked SANs', { names: [dnsName('x.test'), Uint8Array.of(0x81, 1, 97)] }],
    ['unknown critical', { more: [extension('1.2.3', true, Uint8Array.of(5, 0))] }],
    ['constraints are not those of a leaf', { basicConstraints: undefined }],
    ['usage is not that of a leaf', { keyUsage: CERT_SIGN }],
    ['usage is not that of a leaf', { keyUsageCritical: false }],
    ['usage is not that of a leaf', { keyUsage: bits(1, 0x82) }],
    ['purposes are not those of a leaf', { purposes: ['1.3.6.1.5.5.7.3.1'] }],
    ['signature', { by: { ...root, key: forge().key } }],
  ])('stops a leaf with wrong contents: %s', (message, forgery) => {
    const { certificate } = forge({ by: root, key, names: [dnsName('x.test')], ...forgery });
    expect(errorOf(() => checkIssued(certificate, root.certificate, asked)).message).toContain(message);
  });

  it.each<[string, Forgery]>([
    ['constraints', { basicConstraints: caWithPathLength(2) }],
    ['usage is not that of a CA', { keyUsage: CERT_SIGN }],
    ['usage is not that of a CA', { keyUsage: bits(1, 0x86) }],
  ])('stops a CA with wrong contents: %s', (message, forgery) => {
    const { certificate } = forgeCa('ca', { ...goodCa, ...forgery });
    expect(errorOf(() => checkIssued(certificate, root.certificate, askedCa)).message).toContain(message);
  });

  it('stops a certificate that outlives its issuer', () => {
    for (const span of [{ notBefore: NOW - 1001 }, { notAfter: NOW + 1001 }]) {
      const { certificate } = forge({ by: root, key, names: [dnsName('x.test')], ...span });
      const error = errorOf(() => checkIssued(certificate, root.certificate, { ...asked, ...span }));
      expect(error.message).toContain('beyond the issuer');
    }
  });
});
