import { createPrivateKey, type KeyObject } from 'node:crypto';
import { CURVES, publicKeyOf, quoted, readPublicKey } from './public-key.ts';
import { SshFormatError, SshReader } from './ssh-reader.ts';

const MAGIC = 'openssh-key-v1\0';
/** Completes a sentence about a file. */
export const PASSPHRASE = 'is protected by a passphrase, and nobody is there to type it; use a host key without one';

/** The private key in OpenSSH's own format (PROTOCOL.key). @throws {SshFormatError} that completes a sentence about the file */
export function readOpensshKey(bytes: Uint8Array): KeyObject {
  const reader = new SshReader(bytes);
  if (Buffer.from(reader.raw(MAGIC.length, 'the key')).toString('latin1') !== MAGIC) {
    throw new SshFormatError('holds no private key of OpenSSH');
  }
  const cipher = reader.text('the cipher');
  reader.text('the key derivation');
  reader.bytes('its options');
  if (reader.uint32('the number of keys') !== 1) throw new SshFormatError('holds several keys; only one may be in it');
  const publicBlob = reader.bytes('the public key');
  const secret = reader.bytes('the private key');
  reader.finish('the private key');
  if (cipher !== 'none') throw new SshFormatError(PASSPHRASE);
  const key = readSecret(new SshReader(secret));
  if (!Buffer.from(publicKeyOf(key).blob).equals(readPublicKey(publicBlob).blob)) {
    throw new SshFormatError('holds a private key that does not fit its public key');
  }
  return key;
}

function readSecret(reader: SshReader): KeyObject {
  const check = reader.uint32('the check');
  if (check !== reader.uint32('the check')) throw new SshFormatError('holds a broken private key');
  const jwk = jwkOf(reader.text('the key type'), reader);
  reader.bytes('the comment');
  if (!reader.rest().every((byte, index) => byte === index + 1)) throw new SshFormatError('holds a broken private key');
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new SshFormatError('holds an unsound private key', { cause });
  }
}

function jwkOf(type: string, reader: SshReader): Record<string, string> {
  if (type === 'ssh-ed25519') return ed25519(reader);
  if (type === 'ssh-rsa') return rsa(reader);
  if (type.startsWith('ecdsa-sha2-')) return ecdsa(reader);
  throw new SshFormatError(`holds a key of the unsupported type ${quoted(type)}`);
}

function ed25519(reader: SshReader): Record<string, string> {
  const x = reader.bytes('the public key');
  const secret = reader.bytes('the private key');
  if (x.length !== 32 || secret.length !== 64) throw new SshFormatError('holds a broken Ed25519 key');
  return { kty: 'OKP', crv: 'Ed25519', x: base64url(x), d: base64url(secret.subarray(0, 32)) };
}

function ecdsa(reader: SshReader): Record<string, string> {
  const curve = reader.text('the curve');
  const known = Object.hasOwn(CURVES, curve) ? CURVES[curve] : undefined;
  if (known === undefined) throw new SshFormatError(`holds a key on the unsupported curve ${quoted(curve)}`);
  const point = reader.bytes('the point');
  const secret = reader.positive('the secret number');
  const size = known.bytes;
  if (point.length !== 1 + 2 * size || secret.length > size) throw new SshFormatError('holds a broken ECDSA key');
  const d = Buffer.concat([Buffer.alloc(size - secret.length), secret]);
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
  return { kty: 'EC', crv: known.jwk, x: base64url(x), y: base64url(y), d: base64url(d) };
}

function rsa(reader: SshReader): Record<string, string> {
  const [n, e, d, qi, p, q] = [1, 2, 3, 4, 5, 6].map(() => reader.positive('a number of the RSA key'));
  if (!n || !e || !d || !qi || !p || !q) throw new SshFormatError('holds a broken RSA key');
  const reduced = (prime: Uint8Array) => bytesOf(numberOf(d) % (numberOf(prime) - 1n || 1n));
  const parts = { n, e, d, p, q, qi, dp: reduced(p), dq: reduced(q) };
  return { kty: 'RSA', ...Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, base64url(part)])) };
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(number: bigint): Uint8Array {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
