import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import {
  BundleSet,
  encodeName,
  generateKey,
  localSigner,
  SpiffeId,
  selfSignedCa,
  spkiOf,
  TrustBundle,
  TrustDomain,
  verifyX509Svid,
  X509Issuer,
} from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { extensionOf } from './issued-certificates.ts';

const NOW = 1_900_000_000;
const trustDomain = TrustDomain.parse('a.test');
const life = () => ({ notBefore: NOW - 60, notAfter: NOW + 3600, serial: randomBytes(16) });
const subject = (name: string) => ({ organization: [name] });

async function below(issuer: X509Issuer, name: string, pathLength?: number): Promise<X509Issuer> {
  const signer = localSigner(generateKey('ec-p256'));
  const request = { id: trustDomain, spki: spkiOf(signer.publicKey), subject: subject(name), ...life() };
  const certificate = await issuer.issueCa({ ...request, ...(pathLength === undefined ? {} : { pathLength }) });
  return new X509Issuer(signer, certificate, issuer.chain);
}

async function rootIssuer(): Promise<X509Issuer> {
  const signer = localSigner(generateKey('ec-p256'));
  return new X509Issuer(signer, await selfSignedCa(signer, { trustDomain, subject: subject('root'), ...life() }));
}

it('[X509-11] issues through authorities below authorities', async () => {
  const root = await rootIssuer();
  const second = await below(await below(root, 'first'), 'second');
  const spki = spkiOf(createPublicKey(generateKey('ec-p256')));
  const leaf = await second.issueLeaf({ id: SpiffeId.parse('spiffe://a.test/x'), spki, ...life() });
  const bundle = TrustBundle.of(trustDomain, { x509Authorities: [{ certificate: root.certificate, tainted: false }] });
  const { chain } = verifyX509Svid([leaf, ...second.chain], BundleSet.of(bundle), { now: NOW });
  expect(chain).toHaveLength(4);
});

it('[X509-13] issues no authority below one whose path length forbids it', async () => {
  const last = await below(await rootIssuer(), 'last', 0);
  await expect(below(last, 'too deep')).rejects.toMatchObject({ code: 'invalid-certificate', rule: 'X509-13' });
});

it('[X509-06] marks the names critical in a certificate without subject', async () => {
  const root = await rootIssuer();
  const leaf = async (subjectName: Parameters<typeof encodeName>[0]) => {
    const spki = spkiOf(createPublicKey(generateKey('ec-p256')));
    const request = { id: SpiffeId.parse('spiffe://a.test/x'), spki, subject: encodeName(subjectName), ...life() };
    return new X509Certificate((await root.issueLeaf(request)).raw);
  };
  expect(extensionOf(await leaf({}), 'names')?.critical).toBe(true);
  expect((await leaf({})).subject ?? '').toBe('');
  expect((await leaf({ organization: ['x'] })).subject).toBe('O=x');
});
