import { X509Certificate } from 'node:crypto';
import { type Certificate, parseCertificate } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { AZURE_SAMPLE } from '../cloud/azure-sample.fixture.ts';
import { callOutside } from '../cloud/call-outside.ts';
import { azureSignedData, type CmsSigner } from '../cloud/cms-for-tests.ts';
import { StandIn } from '../cloud/http-for-tests.ts';
import { issue, issueCa, NOW } from '../x509pop/certificates-for-tests.ts';
import { contentOf, ISSUER, metadataCertificate, ROOT, x509 } from './azure-for-tests.ts';
import { AZURE_ROOTS } from './azure-roots.ts';
import { DocumentTrust, type DocumentTrustOptions } from './document-trust.ts';
import { IssuerCertificates } from './issuer-certificates.ts';

const { signal } = new AbortController();
const genuine = metadataCertificate();
const content = contentOf('n'.repeat(32));

function trust(
  parts: Partial<DocumentTrustOptions> & { hosts?: readonly string[]; roots?: readonly Certificate[] } = {},
) {
  const { hosts = ['www.microsoft.com'], ...options } = parts;
  return new DocumentTrust({
    domains: ['metadata.azure.com'],
    roots: [ROOT.certificate],
    intermediates: [ISSUER.certificate],
    issuers: new IssuerCertificates(hosts, callOutside),
    now: () => NOW,
    ...options,
  });
}
const signed = (signers: readonly CmsSigner[], certificates = signers.map(({ certificate }) => certificate)) =>
  azureSignedData(content, signers, certificates);
const judge = (bytes: Uint8Array, parts: Parameters<typeof trust>[0] = {}) => trust(parts).judge(bytes, signal);
const refused = (message: string) => ({ code: 'invalid-argument', message: expect.stringContaining(message) });

describe('an attested document', () => {
  it('is believed by name, signature and chain', async () => {
    expect(Buffer.from(await judge(signed([genuine]))).equals(content)).toBe(true);
    // The issuer may lie beside it, too, in any order.
    const bag = [x509(ISSUER), genuine.certificate];
    await judge(signed([genuine], bag), { intermediates: [] });
    const exact = metadataCertificate({ name: 'metadata.azure.com' });
    await judge(signed([exact]));
  });

  it("is not, with Azure's certificate beside a stranger's that signed it (SPIRE 1.15.1)", async () => {
    const strangersCa = issueCa('stand-in issuing CA', { serial: [2] });
    const stranger = metadataCertificate({ issuer: strangersCa });
    for (const bag of [
      [genuine.certificate, stranger.certificate],
      [stranger.certificate, genuine.certificate],
    ]) {
      // The same issuer and serial number: it is open which of them is meant.
      await expect(judge(signed([stranger], bag))).rejects.toMatchObject(refused('exactly one signer'));
    }
    const other = metadataCertificate({ issuer: strangersCa, serial: [9] });
    for (const bag of [
      [genuine.certificate, other.certificate],
      [other.certificate, genuine.certificate],
    ]) {
      await expect(judge(signed([other], bag))).rejects.toMatchObject(refused('chain validation failed'));
    }
    // The stranger's key, with the genuine certificate named as the signer's.
    const forged = { certificate: genuine.certificate, key: stranger.key };
    await expect(judge(signed([forged]))).rejects.toMatchObject(refused('signature verification failed'));
    await expect(judge(signed([genuine], []))).rejects.toMatchObject(refused('exactly one signer'));
    await expect(judge(signed([genuine, genuine], [genuine.certificate]))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it.each(['metadata.azure.com.evil.test', 'evilmetadata.azure.com', 'azure.com', 'eastus.metadata.azure.us'])(
    'is not, of %s',
    async (name) => {
      await expect(judge(signed([metadataCertificate({ name })]))).rejects.toMatchObject(
        refused('allowed metadata domain'),
      );
    },
  );

  it('is of the domains that are allowed', async () => {
    const china = signed([metadataCertificate({ name: 'north.metadata.azure.cn' })]);
    await judge(china, { domains: ['metadata.azure.us', 'metadata.azure.cn'] });
    await expect(judge(signed([genuine]), { domains: ['metadata.azure.cn'] })).rejects.toMatchObject(
      refused('allowed metadata domain'),
    );
  });

  it('is not, by a certificate that has ended, is for something else, or signs for itself', async () => {
    await expect(judge(signed([metadataCertificate({ notAfter: NOW - 1 })]))).rejects.toMatchObject(refused('expired'));
    const client = metadataCertificate({ purpose: '2b06010505070302' });
    await expect(judge(signed([client]))).rejects.toMatchObject(refused('not for servers'));
    await expect(judge(signed([metadataCertificate({ issuer: null })]))).rejects.toMatchObject(refused('chain'));
    const byLeaf = metadataCertificate({ issuer: issue({ issuer: ISSUER, serial: [7] }) });
    await expect(judge(signed([byLeaf]))).rejects.toMatchObject(refused('chain'));
    await expect(judge(signed([genuine]), { roots: [] })).rejects.toMatchObject(refused('chain'));
  });

  it("is not, as Microsoft's example of 2018 is", async () => {
    await expect(judge(Buffer.from(AZURE_SAMPLE, 'base64'))).rejects.toMatchObject(refused('unusable certificate'));
  });
});

describe("an issuer's certificate", () => {
  const serving = (bytes: Uint8Array | string) => StandIn.listen(() => ({ status: 200, body: bytes }));
  const from = (address: string) => signed([metadataCertificate({ issuerAddress: address })]);

  it('is fetched where the certificate says, once, in DER or PEM', async () => {
    for (const bytes of [ISSUER.certificate.raw, x509(ISSUER).toString()]) {
      await using site = await serving(bytes);
      const host = new URL(site.address).host;
      const one = trust({ intermediates: [], hosts: [host] });
      const document = from(`${site.address}/pkiops/certs/Issuing%20CA.crt`);
      await one.judge(document, signal);
      await one.judge(document, signal);
      expect(site.requests.map(({ url }) => url.pathname)).toEqual(['/pkiops/certs/Issuing%20CA.crt']);
    }
  });

  it.each([
    'http://127.0.0.1:PORT@evil.test/',
    'http://user@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT.evil.test/',
    'file:///etc/passwd',
    'ldap://127.0.0.1:PORT/',
    'http://localhost:PORT/',
  ])('is not fetched from %s', async (pattern) => {
    await using site = await serving(ISSUER.certificate.raw);
    const host = `127.0.0.1:${site.port}`;
    const document = from(pattern.replace('PORT', String(site.port)));
    await expect(judge(document, { intermediates: [], hosts: [host] })).rejects.toMatchObject(refused('chain'));
    expect(site.requests).toHaveLength(0);
  });

  it('is asked for by nobody whose signature or name is wrong', async () => {
    await using site = await serving(ISSUER.certificate.raw);
    const hosts = [`127.0.0.1:${site.port}`];
    const named = metadataCertificate({ issuerAddress: site.address, name: 'evil.test' });
    await expect(judge(signed([named]), { intermediates: [], hosts })).rejects.toMatchObject(refused('domain'));
    const pointing = metadataCertificate({ issuerAddress: site.address });
    const forged = signed([{ ...pointing, key: genuine.key }]);
    await expect(judge(forged, { intermediates: [], hosts })).rejects.toMatchObject(refused('signature'));
    expect(site.requests).toHaveLength(0);
  });

  it('is of no use if it is garbage, another, or does not come', async () => {
    const other = issueCa('stand-in issuing CA', { serial: [2] });
    for (const bytes of ['garbage', Uint8Array.of(0x30, 0), other.certificate.raw]) {
      await using site = await serving(bytes);
      const hosts = [`127.0.0.1:${site.port}`];
      await expect(judge(from(site.address), { intermediates: [], hosts })).rejects.toMatchObject(refused('chain'));
    }
    await using large = await serving(Buffer.alloc(100_000));
    const hosts = [`127.0.0.1:${large.port}`];
    await expect(judge(from(large.address), { intermediates: [], hosts })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});

it('has the roots that it says', () => {
  const names = AZURE_ROOTS.map((base64) => parseCertificate(Buffer.from(base64, 'base64')).commonName);
  expect(names).toEqual([
    'DigiCert Global Root G2',
    'DigiCert Global Root CA',
    'Microsoft TLS RSA Root G2',
    'Microsoft TLS RSA Root G2',
  ]);
  expect(AZURE_ROOTS.every((base64) => new X509Certificate(Buffer.from(base64, 'base64')).ca)).toBe(true);
});
