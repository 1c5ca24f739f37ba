import { type KeyObject, webcrypto } from 'node:crypto';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { x509Library } from '../x509/library.ts';
import { TEST_KEYS, type TestKey } from './test-keys.ts';

/** A certificate by the independent library, over one of the test keys. */
export async function testCertificate(
  key: TestKey,
  options: { readonly uri?: string; readonly ca?: boolean; readonly notAfter?: number } = {},
): Promise<Certificate> {
  const { uri = 'spiffe://a.test', ca = true, notAfter = 2_000_000_000 } = options;
  const library = await x509Library();
  const { KeyUsageFlags } = library;
  const extensions = [
    new library.BasicConstraintsExtension(ca, undefined, true),
    new library.KeyUsagesExtension(ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature, true),
    new library.SubjectAlternativeNameExtension([{ type: 'url', value: uri }]),
  ];
  const certificate = await library.X509CertificateGenerator.createSelfSigned(
    {
      name: 'O=test',
      serialNumber: '01',
      notBefore: new Date(1_000_000_000_000),
      notAfter: new Date(notAfter * 1000),
      keys: { publicKey: cryptoKey(key, 'public'), privateKey: cryptoKey(key, 'private') },
      signingAlgorithm: { hash: 'SHA-256' },
      extensions,
    },
    webcrypto,
  );
  return parseCertificate(new Uint8Array(certificate.rawData));
}

const ALGORITHMS = {
  ec: (key: KeyObject) => ({
    name: 'ECDSA',
    namedCurve: key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'P-384' : 'P-256',
  }),
  rsa: () => ({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }),
};

function cryptoKey(name: TestKey, half: 'public' | 'private'): webcrypto.CryptoKey {
  const key = TEST_KEYS[name][half === 'public' ? 'publicKey' : 'privateKey'];
  const algorithm = key.asymmetricKeyType === 'rsa' ? ALGORITHMS.rsa() : ALGORITHMS.ec(key);
  return key.toCryptoKey(algorithm, true, [half === 'public' ? 'verify' : 'sign']);
}
