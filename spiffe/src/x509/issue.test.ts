import { randomBytes, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequence } from '../der/writer.ts';
import { encodeHex } from '../encoding/hex.ts';
import type { SpiffeError } from '../errors.ts';
import { SpiffeId } from '../id/spiffe-id.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import type { KeyType } from '../keys/key-type.ts';
import { generateKey } from '../keys/private-key.ts';
import { localSigner, type Signer } from '../keys/signer.ts';
import { spkiOf } from '../keys/spki.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { type LeafRequest, X509Issuer } from './issue.ts';
import { x509Library } from './library.ts';
import { encodeName } from './name.ts';
import { toPem } from './pem.ts';
import { selfSignedCa } from './self-signed-ca.ts';

const T = 1_800_000_000;
const trustDomain = TrustDomain.parse('a.test');
const signer = localSigner(TEST_KEYS.p256.privateKey);
const serial = new Uint8Array(16).fill(0xff);
const root = await selfSignedCa(signer, {
  trustDomain,
  subject: { country: ['US'], organization: ['SPIFFE'], serialNumber: '4711' },
  notBefore: T,
  notAfter: T + 86_400,
  serial,
});
const issuer = new X509Issuer(signer, root);
const leafRequest: LeafRequest = {
  id: SpiffeId.parse('spiffe://a.test/x'),
  spki: spkiOf(TEST_KEYS.workload.publicKey),
  notBefore: T + 10,
  notAfter: T + 3600,
  serial,
};
const contains = (der: Uint8Array, hex: string) => encodeHex(der).includes(hex);
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as SpiffeError,
  );

describe('selfSignedCa', () => {
  it('is an SVID without a path that may only sign (X509-07 to 10, 14, 17 to 20, 27, 41)', () => {
    expect(root).toMatchObject({
      isSelfSigned: true,
      isCa: true,
      subjectText: 'C=US,O=SPIFFE,serialNumber=4711',
      uriSans: ['spiffe://a.test'],
      extKeyUsage: undefined,
      notBefore: T,
      notAfter: T + 86_400,
    });
    // KeyUsage 03 02 01 06 and BasicConstraints 30 03 01 01 FF, both critical.
    expect(contains(root.raw, '0603551d0f0101ff040403020106')).toBe(true);
    expect(contains(root.raw, '0603551d130101ff040530030101ff')).toBe(true);
  });

  it('needs a subject', async () => {
    const request = { trustDomain, subject: {}, notBefore: T, notAfter: T + 1, serial };
    await expect(selfSignedCa(signer, request)).rejects.toThrow(TypeError);
  });

  it('crosses the year 2050', async () => {
    const request = { trustDomain, subject: { commonName: 'far' }, notBefore: T, notAfter: 2_600_000_000, serial };
    const certificate = await selfSignedCa(signer, request);
    expect(Date.parse(new X509Certificate(certificate.raw).validTo) / 1000).toBe(2_600_000_000);
  });
});

describe('issueLeaf', () => {
  it.each<[KeyType, string]>([
    ['ec-p256', '03020780'],
    ['ec-p384', '03020780'],
    ['ec-p521', '03020780'],
    ['ed25519', '03020780'],
    ['rsa-2048', '030205a0'],
  ])('gives a key of %s the usage %s (X509-15, 17, 18, 21 to 26)', async (type, keyUsage) => {
    const leaf = await issuer.issueLeaf({ ...leafRequest, spki: spkiOf(generateKey(type)) });
    expect(contains(leaf.raw, `0603551d0f0101ff0404${keyUsage}`)).toBe(true);
    expect(contains(leaf.raw, '0603551d130101ff04023000')).toBe(true);
    expect(leaf.extKeyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(leaf.authorityKeyId).toBe(root.subjectKeyId);
    expect(leaf.authorityKeyId).toBe(issuer.authorityId);
    expect(leaf.subjectKeyId).toHaveLength(40);
    expect(leaf.isSignedBy(root)).toBe(true);
  });

  it('names what it was asked to name, first DNS name as common name', async () => {
    const plain = await issuer.issueLeaf(leafRequest);
    expect(plain).toMatchObject({ subjectText: 'C=US,O=SPIRE', uriSans: ['spiffe://a.test/x'], dnsSans: [] });
    const dnsNames = ['b.test', '*.a.test', `${'a'.repeat(60)}.${'b'.repeat(60)}.test`];
    const named = await issuer.issueLeaf({ ...leafRequest, dnsNames });
    expect(named).toMatchObject({ commonName: 'b.test', dnsSans: dnsNames, sanCritical: false });
    const own = await issuer.issueLeaf({ ...leafRequest, dnsNames, subject: encodeName({ organization: ['Me'] }) });
    expect(own.subjectText).toBe('O=Me');
  });

  it('marks SAN critical where the subject is empty (X509-06)', async () => {
    const leaf = await issuer.issueLeaf({ ...leafRequest, subject: sequence() });
    expect([leaf.subjectText, leaf.sanCritical]).toEqual(['', true]);
  });

  it('stays inside the validity of its issuer', async () => {
    const wide = await issuer.issueLeaf({ ...leafRequest, notBefore: T - 10.5, notAfter: T + 1e9 });
    expect([wide.notBefore, wide.notAfter]).toEqual([T, T + 86_400]);
    const fractions = await issuer.issueLeaf({ ...leafRequest, notBefore: T + 1.9, notAfter: T + 2.9 });
    expect([fractions.notBefore, fractions.notAfter]).toEqual([T + 1, T + 2]);
    for (const notBefore of [T + 86_400, T + 1e6, Number.NaN]) {
      expect((await refusal(issuer.issueLeaf({ ...leafRequest, notBefore, notAfter: T + 1e7 }))).code).toBe('expired');
    }
  });

  it('makes any random serial positive', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 16, maxLength: 16 }), async (random) => {
        fc.pre(random.some((octet, index) => (index === 0 ? octet & 0x7f : octet) !== 0));
        const leaf = await issuer.issueLeaf({ ...leafRequest, serial: random });
        const expected = BigInt(`0x${encodeHex(random)}`) & ((1n << 127n) - 1n);
        expect(leaf.serialDecimal).toBe(expected.toString());
        expect(random).toHaveLength(16);
      }),
      { numRuns: 50 },
    );
    for (const bad of [new Uint8Array(16), new Uint8Array(7).fill(1), new Uint8Array(21).fill(1)]) {
      await expect(issuer.issueLeaf({ ...leafRequest, serial: bad })).rejects.toThrow(TypeError);
    }
  });

  it('takes an ID of 2048 bytes (ID-17)', async () => {
    const id = SpiffeId.parse(`spiffe://a.test/${'a'.repeat(2048 - 16)}`);
    expect((await issuer.issueLeaf({ ...leafRequest, id })).spiffeId().equals(id)).toBe(true);
  });

  it.each<[string, Partial<LeafRequest>, string]>([
    ['an ID without a path (X509-05)', { id: SpiffeId.parse('spiffe://a.test') }, 'invalid-svid'],
    ['a weak key', { spki: spkiOf(TEST_KEYS.secp256k1.publicKey) }, 'unsupported-key'],
    ['a line feed in a DNS name', { dnsNames: ['a\n.test'] }, 'invalid-certificate'],
    ['a DNS name of digits', { dnsNames: ['1.2.3.4'] }, 'invalid-certificate'],
    ['a subject that is no name', { subject: Uint8Array.of(0x30, 1, 0) }, 'malformed-der'],
  ])('refuses %s', async (_, change, code) => {
    expect((await refusal(issuer.issueLeaf({ ...leafRequest, ...change }))).code).toBe(code);
  });
});

describe('a finished certificate is checked before it leaves', () => {
  const other = localSigner(TEST_KEYS.stranger.privateKey);
  it.each<[string, Signer['sign']]>([
    ['signs with another key', (data) => other.sign(data)],
    ['answers nothing', () => new Uint8Array()],
    ['signs other bytes', (data) => signer.sign(data.subarray(1))],
  ])('when the key service %s', async (_, sign) => {
    const faulty = new X509Issuer({ ...signer, sign }, root);
    expect((await refusal(faulty.issueLeaf(leafRequest))).code).toBe('invalid-certificate');
  });

  it('and a key service may take its time', async () => {
    const slow = new X509Issuer({ ...signer, sign: async (data) => signer.sign(data) }, root);
    expect((await slow.issueLeaf(leafRequest)).isSignedBy(root)).toBe(true);
  });

  it('and an issuer needs a CA certificate and its key', async () => {
    const leaf = await issuer.issueLeaf(leafRequest);
    expect(() => new X509Issuer(other, root)).toThrow('key is not that of the certificate');
    expect(() => new X509Issuer(localSigner(TEST_KEYS.workload.privateKey), leaf)).toThrow('not that of a CA');
  });
});

describe('issueCa', () => {
  const below = localSigner(TEST_KEYS.p384.privateKey);
  const request = {
    id: trustDomain,
    spki: spkiOf(below.publicKey),
    subject: { organization: ['below'] },
    notBefore: T,
    notAfter: T + 1e9,
    serial: new Uint8Array(randomBytes(16)),
  };

  it('makes an authority whose chain leaves out the root', async () => {
    const certificate = await issuer.issueCa({ ...request, pathLength: 1 });
    expect(certificate.basicConstraints).toEqual({ critical: true, ca: true, pathLength: 1 });
    expect(contains(certificate.raw, '30060101ff020101')).toBe(true);
    expect([certificate.notAfter, certificate.uriSans]).toEqual([root.notAfter, ['spiffe://a.test']]);
    const nested = new X509Issuer(below, certificate, [root]);
    expect(nested.chain).toEqual([certificate]);
    expect(issuer.chain).toEqual([]);
    expect((await nested.issueLeaf(leafRequest)).isSignedBy(certificate)).toBe(true);
  });

  it('keeps path lengths (X509-13)', async () => {
    const limited = new X509Issuer(below, await issuer.issueCa({ ...request, pathLength: 1 }));
    expect((await limited.issueCa({ ...request, pathLength: 0 })).basicConstraints?.pathLength).toBe(0);
    expect((await refusal(limited.issueCa({ ...request, pathLength: 1 }))).rule).toBe('X509-13');
    const last = new X509Issuer(below, await issuer.issueCa({ ...request, pathLength: 0 }));
    expect((await refusal(last.issueCa(request))).rule).toBe('X509-13');
    expect((await last.issueLeaf(leafRequest)).spiffeId().path).toBe('/x');
  });
});

describe('oracles', () => {
  it('Node and @peculiar/x509 read and verify ours', async () => {
    const leaf = await issuer.issueLeaf({ ...leafRequest, dnsNames: ['x.test'] });
    const [node, nodeRoot] = [new X509Certificate(leaf.raw), new X509Certificate(root.raw)];
    expect([node.verify(nodeRoot.publicKey), node.checkIssued(nodeRoot), node.ca, nodeRoot.ca]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(node.subjectAltName).toBe('URI:spiffe://a.test/x, DNS:x.test');

    const { X509Certificate: Peculiar, BasicConstraintsExtension, KeyUsagesExtension } = await x509Library();
    const theirs = new Peculiar(Uint8Array.from(leaf.raw));
    expect(
      await theirs.verify({
        publicKey: await new Peculiar(Uint8Array.from(root.raw)).publicKey.export(),
        signatureOnly: true,
      }),
    ).toBe(true);
    expect(theirs.getExtension(KeyUsagesExtension)?.usages).toBe(1);
    expect(theirs.getExtension(BasicConstraintsExtension)?.ca).toBe(false);
    expect(theirs.serialNumber).toBe(leaf.serialHex);
    expect(theirs.notAfter.getTime() / 1000).toBe(leaf.notAfter);
  });

  it.skipIf(!hasOpenssl)('openssl finds nothing to complain about', async () => {
    for (const type of ['ec-p256', 'ec-p384', 'ec-p521', 'ed25519', 'rsa-2048'] satisfies KeyType[]) {
      const own = localSigner(generateKey(type));
      const subject = { country: ['US'], organization: ['SPIFFE'] };
      const ca = await selfSignedCa(own, { trustDomain, subject, notBefore: T, notAfter: T + 1000, serial });
      const leaf = await new X509Issuer(own, ca).issueLeaf({ ...leafRequest, subject: sequence() });
      const files = { ca: toPem('CERTIFICATE', ca.raw), leaf: toPem('CERTIFICATE', leaf.raw) };
      const strict = ['verify', '-x509_strict', '-attime', String(T + 100), '-purpose', 'sslserver'];
      expect(openssl([...strict, '-CAfile', '@ca', '@leaf'], files), type).toContain('OK');
    }
  });
});
