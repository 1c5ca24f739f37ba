import { X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSingle } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { encodeOid, NULL, octetString, sequence, smallInteger, TRUE, tlv } from '../der/writer.ts';
import { SpiffeError } from '../errors.ts';
import { KEY_TYPES } from '../keys/key-type.ts';
import { errorOf } from '../testing/error-of.ts';
import { bits, dnsName, extension, forge, forgeCa, nameConstraints, uriName } from '../testing/forge-certificate.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { Certificate, parseCertificate } from './certificate.ts';
import { concatCertificates, parseCertificates } from './certificates.ts';
import { GENERAL_NAME } from './general-names.ts';
import { OID } from './oids.ts';
import { parseCertificatesPem } from './pem.ts';

const bytes = (...octets: number[]) => Uint8Array.from(octets);

const elementsOf = (der: Uint8Array): Uint8Array[] => {
  const reader = readSingle(der, TAG.sequence).reader();
  const elements: Uint8Array[] = [];
  while (!reader.done) elements.push(reader.next().raw);
  return elements;
};
const withAlgorithm = ([signed = NULL, , signature = NULL]: Uint8Array[], algorithm: Uint8Array): Uint8Array[] => [
  sequence(...elementsOf(signed).with(2, algorithm)),
  algorithm,
  signature,
];
const withUniqueId = (signed: Uint8Array): Uint8Array =>
  sequence(...elementsOf(signed).toSpliced(7, 0, tlv(0x81, bytes(9, 9))));

describe('Certificate', () => {
  it('takes SAN from DER: a DNS name that prints like a URI is none (X509-H2)', () => {
    const { certificate } = forge({ uris: [], names: [dnsName('x, URI:spiffe://a.test/admin')] });
    expect(new X509Certificate(certificate.raw).subjectAltName).toContain('URI:spiffe://a.test/admin');
    expect(certificate.uriSans).toEqual([]);
    expect(errorOf(() => certificate.spiffeId())).toMatchObject({ code: 'invalid-svid', rule: 'X509-03' });
  });

  it('reads all kinds of alternative names', () => {
    const { certificate } = forge({
      names: [
        dnsName('a.test'),
        tlv(GENERAL_NAME.ip, bytes(127, 0, 0, 1)),
        tlv(GENERAL_NAME.ip, bytes(0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1)),
        tlv(GENERAL_NAME.email, new TextEncoder().encode('a@b.test')),
        tlv(GENERAL_NAME.directoryName, sequence()),
        tlv(GENERAL_NAME.registeredId, bytes(42, 3)),
      ],
    });
    expect(certificate).toMatchObject({
      uriSans: ['spiffe://a.test/x'],
      dnsSans: ['a.test'],
      ipSans: ['127.0.0.1', '2001:db8:0:0:0:0:0:1'],
      emailSans: ['a@b.test'],
      otherSans: 2,
    });
  });

  it('says who signed it, by name and by key', () => {
    const root = forgeCa('root');
    const { certificate } = forge({ by: root });
    expect(certificate.isSignedBy(root.certificate)).toBe(true);
    expect(certificate.isSignedBy(forgeCa('root').certificate)).toBe(false);
    expect(certificate.isSignedBy(forgeCa('other', { key: root.key }).certificate)).toBe(false);
    expect([root.certificate.isSelfSigned, certificate.isSelfSigned]).toEqual([true, false]);
  });

  it.each<[string, Uint8Array]>([
    ['an unknown kind of name', tlv(0x8a, bytes(1))],
    ['an IP address of five octets', tlv(GENERAL_NAME.ip, bytes(1, 2, 3, 4, 5))],
    ['a URI beyond ASCII', tlv(GENERAL_NAME.uri, bytes(0xc3, 0xa9))],
  ])('refuses %s', (_, name) => {
    expect(errorOf(() => forge({ names: [name] })).code).toBe('malformed-der');
  });

  it.each<[string, Uint8Array]>([
    ['an extension twice', extension(OID.keyUsage, true, bits(7, 0x80))],
    ['an empty list of names', extension(OID.subjectAltName, false, sequence())],
    ['something behind an extension', extension(OID.nameConstraints, true, bytes(0x30, 0, 0))],
    ['a path length without a CA', extension(OID.basicConstraints, true, sequence(smallInteger(0)))],
    ['a subtree of an unknown kind of name', nameConstraints([tlv(0xc0, bytes(0x61))])],
    ['name constraints without any', extension(OID.nameConstraints, true, sequence())],
    ['criticality of a wrong form', sequence(encodeOid('1.2.3'), bytes(1, 1, 7), octetString(bytes(5, 0)))],
    ['an extension without a value', sequence(encodeOid('1.2.3'), TRUE)],
  ])('refuses %s', (_, more) => {
    expect(errorOf(() => forge({ uris: [], basicConstraints: undefined, more: [more] })).code).toBe('malformed-der');
  });

  it.each<[string, (parts: Uint8Array[]) => Uint8Array[]]>([
    ['an element behind the signature', (parts) => [...parts, NULL]],
    ['no signature', (parts) => parts.slice(0, 2)],
    ['another algorithm outside than inside', (parts) => parts.with(1, KEY_TYPES['ec-p384'].signatureAlgorithm)],
    ['an empty algorithm', (parts) => withAlgorithm(parts, sequence())],
    ['an algorithm with two parameters', (parts) => withAlgorithm(parts, sequence(encodeOid('1.2.3'), NULL, NULL))],
    ['a unique identifier that is no bit string', ([signed = NULL, ...rest]) => [withUniqueId(signed), ...rest]],
  ])('refuses %s', (_, change) => {
    const parts = elementsOf(forge().certificate.raw);
    expect(parseCertificate(sequence(...parts)).uriSans).toHaveLength(1);
    expect(errorOf(() => parseCertificate(sequence(...change(parts)))).code).toBe('malformed-der');
  });

  it('knows which critical extensions it does not know', () => {
    const { certificate } = forge({
      more: [extension('1.2.3.4', true, bytes(5, 0)), extension('1.2.3.5', false, bytes(5, 0))],
    });
    expect(certificate.unknownCritical).toEqual(['1.2.3.4']);
  });

  it('survives any mutation with a SpiffeError at most', () => {
    const samples = [
      forge({ names: [dnsName('a.test')] }),
      forgeCa('ca', { more: [nameConstraints([uriName('a.test')])] }),
    ].map(({ certificate }) => certificate.raw);
    const edit = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'insert', 'remove', 'cut'));
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 4 }), (sample, edits) => {
        let der = Array.from(sample);
        for (const [position, value, kind] of edits) {
          const at = position % Math.max(der.length, 1);
          if (kind === 'set') der[at] = value;
          else if (kind === 'insert') der.splice(at, 0, value);
          else if (kind === 'remove') der.splice(at, 1);
          else der = der.slice(0, at);
        }
        try {
          const certificate = Certificate.parse(Uint8Array.from(der));
          void [certificate.subjectText, certificate.commonName, certificate.serialDecimal];
          certificate.isSignedBy(certificate);
        } catch (error) {
          expect(error).toBeInstanceOf(SpiffeError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses every byte before, behind or missing', () => {
    const { raw } = forge().certificate;
    for (const der of [bytes(...raw, 0), bytes(0, ...raw), raw.subarray(0, -1), raw.subarray(1), bytes()]) {
      expect(errorOf(() => parseCertificate(der)).code).toBe('malformed-der');
    }
  });
});

describe('several certificates', () => {
  const three = [forge(), forgeCa('a'), forgeCa('b')].map(({ certificate }) => certificate);

  it('stand behind one another', () => {
    const read = parseCertificates(concatCertificates(three));
    expect(read.map(({ subjectText }) => subjectText)).toEqual(['CN=leaf', 'CN=a', 'CN=b']);
    expect(concatCertificates(read)).toEqual(concatCertificates(three));
    expect(parseCertificates(new Uint8Array())).toEqual([]);
  });

  it('leave nothing between or behind', () => {
    const chain = concatCertificates(three);
    for (const der of [bytes(...chain, 0), chain.subarray(0, -1), bytes(...chain, 0x30, 0)]) {
      expect(errorOf(() => parseCertificates(der)).code).toBe('malformed-der');
    }
  });
});

describe.skipIf(!hasOpenssl)('certificates made by openssl', () => {
  const request = ['req', '-x509', '-nodes', '-days', '3650', '-keyout', '/dev/null', '-outform', 'PEM'];
  it.each([
    ['EC', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['Ed25519', ['-newkey', 'ed25519']],
    ['RSA', ['-newkey', 'rsa:2048', '-sha512']],
    ['RSASSA-PSS', ['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']],
  ])('%s', (_, kind) => {
    const subject = '/C=DE/O=Ärger, & Söhne/CN=root/serialNumber=7';
    const extensions = [
      'subjectAltName=URI:spiffe://a.test,DNS:x.test,IP:1.2.3.4',
      'keyUsage=critical,keyCertSign,cRLSign',
      'nameConstraints=critical,permitted;URI:a.test',
    ].flatMap((text) => ['-addext', text]);
    const pem = openssl([...request, ...kind, '-utf8', '-subj', subject, ...extensions]);
    const [certificate] = parseCertificatesPem(pem);
    expect(certificate).toMatchObject({
      subjectText: String.raw`C=DE,O=Ärger\, & Söhne,CN=root,serialNumber=7`,
      commonName: 'root',
      uriSans: ['spiffe://a.test'],
      dnsSans: ['x.test'],
      ipSans: ['1.2.3.4'],
      isCa: true,
      isSelfSigned: true,
      keyUsage: { critical: true, keyCertSign: true, crlSign: true, digitalSignature: false },
      nameConstraints: { critical: true, permitted: [{ kind: 'uri', base: 'a.test' }], excluded: [] },
    });
    const theirs = new X509Certificate(certificate?.raw ?? '');
    expect(certificate?.serialHex).toBe(theirs.serialNumber.toLowerCase());
    expect(certificate?.notAfter).toBe(Date.parse(theirs.validTo) / 1000);
    expect(certificate?.subjectKeyId).toBe(certificate?.authorityKeyId);
  });

  it('SHA-1 signatures do not hold', () => {
    const pem = openssl([...request, '-newkey', 'rsa:2048', '-sha1', '-subj', '/CN=old']);
    const [certificate] = parseCertificatesPem(pem);
    expect(certificate?.isSelfSigned).toBe(false);
  });
});
