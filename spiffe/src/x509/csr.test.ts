import { sign } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextConstructed, TAG } from '../der/tags.ts';
import { bitString, encodeOid, NULL, sequence, setOfOne, smallInteger, tlv } from '../der/writer.ts';
import { decodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import { KEY_TYPES, type KeyType } from '../keys/key-type.ts';
import { generateKey, pkcs8Of } from '../keys/private-key.ts';
import { localSigner } from '../keys/signer.ts';
import { spkiOf } from '../keys/spki.ts';
import { errorOf } from '../testing/error-of.ts';
import { extension, uriName } from '../testing/forge-certificate.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { readCsr } from './csr.ts';
import { x509Library } from './library.ts';
import { makeCsr } from './make-csr.ts';
import { OID } from './oids.ts';
import { parsePem, toPem } from './pem.ts';

const key = TEST_KEYS.p256.privateKey;
const content = {
  uri: 'spiffe://a.test/x',
  dnsNames: ['x.test', '*.x.test'],
  subject: { country: ['US'], organization: ['Ünï'], commonName: 'x' },
};
const ECDSA_SHA256 = KEY_TYPES['ec-p256'].signatureAlgorithm;
const wish = (...names: string[]) => extension(OID.subjectAltName, false, sequence(...names.map(uriName)));
const attribute = (...extensions: Uint8Array[]) =>
  sequence(encodeOid(OID.extensionRequest), setOfOne(sequence(...extensions)));

interface Forged {
  version?: number;
  spki?: Uint8Array;
  attributes?: readonly Uint8Array[] | undefined;
  algorithm?: Uint8Array;
  hash?: string;
  /** Elements behind the last one of the signed and of the whole part. */
  behindSigned?: Uint8Array;
  behindAll?: Uint8Array;
}

function forge(forged: Forged = {}): Uint8Array {
  const { version = 0, spki = spkiOf(key), algorithm = ECDSA_SHA256, hash = 'sha256' } = forged;
  const attributes = 'attributes' in forged ? forged.attributes : [attribute(wish('spiffe://a.test/x'))];
  const signedPart = sequence(
    smallInteger(version),
    sequence(),
    spki,
    ...(attributes === undefined ? [] : [tlv(contextConstructed(0), ...attributes)]),
    forged.behindSigned ?? new Uint8Array(),
  );
  return sequence(signedPart, algorithm, bitString(sign(hash, signedPart, key)), forged.behindAll ?? new Uint8Array());
}

describe('readCsr', () => {
  it.each(['ec-p256', 'ec-p384', 'ec-p521', 'ed25519', 'rsa-2048'] satisfies KeyType[])(
    'reads what makeCsr makes with %s',
    async (type) => {
      const signer = localSigner(generateKey(type));
      const der = await makeCsr(signer, content);
      const csr = readCsr(der);
      expect(csr).toMatchObject({
        uriSans: ['spiffe://a.test/x'],
        dnsSans: ['x.test', '*.x.test'],
        subjectText: 'C=US,O=Ünï,CN=x',
        hasSubject: true,
      });
      expect(csr.spki).toEqual(spkiOf(signer.publicKey));
      expect(csr.publicKey.equals(signer.publicKey)).toBe(true);
    },
  );

  it('reads a request that wishes for nothing', async () => {
    const csr = readCsr(await makeCsr(localSigner(key)));
    expect(csr).toMatchObject({ uriSans: [], dnsSans: [], subjectText: '', hasSubject: false });
  });

  it('passes over attributes it does not know', () => {
    const challenge = sequence(encodeOid('1.2.840.113549.1.9.7'), setOfOne(decodeHex('130161')));
    expect(readCsr(forge({ attributes: [challenge, attribute(wish('spiffe://a.test/x'))] })).uriSans).toHaveLength(1);
  });

  it('keeps every URI, so that the caller can refuse a second one', () => {
    expect(readCsr(forge({ attributes: [attribute(wish('spiffe://a.test/x', 'https://b.test'))] })).uriSans).toEqual([
      'spiffe://a.test/x',
      'https://b.test',
    ]);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['an empty sequence', sequence()],
    ['another version', forge({ version: 1 })],
    ['no attributes at all', forge({ attributes: undefined })],
    ['extensions requested twice', forge({ attributes: [attribute(wish('a:b')), attribute(wish('a:b'))] })],
    ['names requested twice', forge({ attributes: [attribute(wish('a:b'), wish('a:b'))] })],
    ['a request without extensions', forge({ attributes: [attribute()] })],
    ['something behind it', Uint8Array.of(...forge(), 0)],
    ['an element behind the attributes', forge({ behindSigned: NULL })],
    ['an element behind the signature', forge({ behindAll: NULL })],
    ['one byte too few', forge().subarray(0, -1)],
    ['64 KiB and more', forge({ attributes: [attribute(wish(`a:${'b'.repeat(65_536)}`))] })],
    ['a secp256k1 key', forge({ spki: spkiOf(TEST_KEYS.secp256k1.publicKey) })],
    [
      'an unknown attribute that is not DER inside',
      forge({ attributes: [sequence(encodeOid('1.2.3'), setOfOne(tlv(TAG.sequence, decodeHex('3003'))))] }),
    ],
    [
      'a thousand attributes',
      forge({ attributes: Array<Uint8Array>(1000).fill(sequence(encodeOid('1.2.3'), tlv(0x31))) }),
    ],
  ])('refuses %s', (_, der) => {
    expect(errorOf(() => readCsr(der))).toMatchObject({ code: 'invalid-csr', reason: 'malformed' });
  });

  it.each<[string, Uint8Array]>([
    ['the key of somebody else', forge({ spki: spkiOf(TEST_KEYS.stranger.publicKey) })],
    ['the key of somebody else, of another kind', forge({ spki: spkiOf(TEST_KEYS.rsa.publicKey) })],
    ['SHA-1', forge({ algorithm: sequence(encodeOid('1.2.840.10045.4.1')), hash: 'sha1' })],
    ['the algorithm of another kind of key', forge({ algorithm: KEY_TYPES['rsa-2048'].signatureAlgorithm })],
    ['another digest than it says', forge({ hash: 'sha384' })],
    [
      'parameters where there are none',
      forge({ algorithm: sequence(encodeOid('1.2.840.10045.4.3.2'), decodeHex('0500')) }),
    ],
  ])('refuses a signature with %s', (_, der) => {
    expect(errorOf(() => readCsr(der))).toMatchObject({ code: 'invalid-csr', reason: 'signature' });
  });

  it('never takes a changed request, and fails with a SpiffeError only', () => {
    const der = forge();
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const changed = Uint8Array.from(der, (octet, at) => (at === index ? octet ^ flip : octet));
        try {
          readCsr(changed);
        } catch (error) {
          if (!(error instanceof SpiffeError)) throw error;
          expect(error.code).toBe('invalid-csr');
          return;
        }
        throw new Error(`byte ${index} may be changed`);
      }),
      { numRuns: 500 },
    );
  });
});

describe('oracles', () => {
  it('@peculiar/x509 reads and verifies ours', async () => {
    const { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } = await x509Library();
    const request = new Pkcs10CertificateRequest(Uint8Array.from(await makeCsr(localSigner(key), content)));
    expect(await request.verify()).toBe(true);
    const { rawData = new ArrayBuffer() } = request.getExtension(OID.subjectAltName) ?? {};
    expect(new SubjectAlternativeNameExtension(rawData).names.toJSON()).toEqual([
      { type: 'url', value: 'spiffe://a.test/x' },
      { type: 'dns', value: 'x.test' },
      { type: 'dns', value: '*.x.test' },
    ]);
  });

  it.skipIf(!hasOpenssl)('openssl verifies ours', async () => {
    const csr = toPem('CERTIFICATE REQUEST', await makeCsr(localSigner(key), content));
    const text = openssl(['req', '-verify', '-noout', '-text', '-in', '@csr'], { csr });
    expect(text).toContain('URI:spiffe://a.test/x, DNS:x.test, DNS:*.x.test');
  });

  it.skipIf(!hasOpenssl)('we read those of openssl', () => {
    const pem = openssl(
      ['req', '-new', '-key', '@key', '-subj', '/C=US/CN=x', '-addext', 'subjectAltName=URI:spiffe://a.test/x'],
      { key: toPem('PRIVATE KEY', pkcs8Of(key)) },
    );
    const [der = new Uint8Array()] = parsePem(pem, 'CERTIFICATE REQUEST');
    expect(readCsr(der)).toMatchObject({ uriSans: ['spiffe://a.test/x'], subjectText: 'C=US,CN=x' });
  });
});
