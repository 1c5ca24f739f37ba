import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { der } from '@steeple/test-kit';

const SHA256_RSA = '1.2.840.113549.1.1.11';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const RSA = '1.2.840.113549.1.1.1';
const SAN = '2.5.29.17';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** Requests that carry a good signature by a key that must not get a certificate; for tests only. */
export const weakRequests = (uri: string): Readonly<Record<string, Uint8Array<ArrayBuffer>>> => ({
  'RSA of 512 bits': ofKey(uri, rsaKey(512), SHA256_RSA),
  'RSA of 1024 bits': ofKey(uri, rsaKey(1024), SHA256_RSA),
  'RSA with exponent 1': ofExponentOne(uri),
  'RSA with an even modulus': ofEvenModulus(uri),
  'a curve of cryptocurrencies': ofKey(uri, generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), ECDSA_SHA256),
  'a small curve': ofKey(uri, generateKeyPairSync('ec', { namedCurve: 'secp224r1' }), ECDSA_SHA256),
});

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const rsaKey = (modulusLength: number): Pair => generateKeyPairSync('rsa', { modulusLength });
const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

const ofKey = (uri: string, { publicKey, privateKey }: Pair, algorithm: string): Uint8Array<ArrayBuffer> => {
  const info = infoOf(uri, spkiOf(publicKey));
  return request(info, algorithm, sign('sha256', info, privateKey));
};

/** With exponent 1 the padded digest is its own signature: whoever sees the key can sign for it. */
const ofExponentOne = (uri: string): Uint8Array<ArrayBuffer> => {
  const { modulus } = numbersOf(rsaKey(2048));
  const info = infoOf(uri, rsaSpki(modulus, Uint8Array.of(1)));
  const digestInfo = Buffer.concat([
    Buffer.from('3031300d060960864801650304020105000420', 'hex'),
    createHash('sha256').update(info).digest(),
  ]);
  const padding = Buffer.alloc(256 - digestInfo.length - 3, 0xff);
  return request(info, SHA256_RSA, Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), digestInfo]));
};

const ofEvenModulus = (uri: string): Uint8Array<ArrayBuffer> => {
  const pair = rsaKey(2048);
  const { modulus, exponent } = numbersOf(pair);
  const even = Buffer.from(modulus);
  even[even.length - 1] = (even.at(-1) ?? 0) & 0xfe;
  const info = infoOf(uri, rsaSpki(even, exponent));
  return request(info, SHA256_RSA, sign('sha256', info, pair.privateKey));
};

const numbersOf = ({ publicKey }: Pair): { modulus: Buffer; exponent: Buffer } => {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return { modulus: Buffer.from(n, 'base64url'), exponent: Buffer.from(e, 'base64url') };
};

const rsaSpki = (modulus: Uint8Array, exponent: Uint8Array): Buffer =>
  der.sequence(
    der.sequence(der.oid(RSA), der.der(0x05)),
    der.bits(der.sequence(der.integer(modulus), der.integer(exponent))),
  );

const infoOf = (uri: string, spki: Uint8Array): Buffer => {
  const names = der.sequence(der.der(0x86, Buffer.from(uri)));
  const extensions = der.sequence(der.sequence(der.oid(SAN), der.octets(names)));
  const attribute = der.sequence(der.oid(EXTENSION_REQUEST), der.der(0x31, extensions));
  return der.sequence(der.integer(Uint8Array.of(0)), der.sequence(), spki, der.der(0xa0, attribute));
};

const request = (info: Uint8Array, algorithm: string, signature: Uint8Array): Uint8Array<ArrayBuffer> => {
  const parameters = algorithm === SHA256_RSA ? [der.der(0x05)] : [];
  return Uint8Array.from(der.sequence(info, der.sequence(der.oid(algorithm), ...parameters), der.bits(signature)));
};
