import { type KeyObject, sign, verify } from 'node:crypto';
import { CURVES, publicKeyOf, quoted, type SshPublicKey } from './public-key.ts';
import { SshFormatError, SshReader } from './ssh-reader.ts';
import { sshPositive } from './ssh-writer.ts';

/** A signature with the name of its algorithm; RSA keys have several. */
export interface SshSignature {
  readonly format: string;
  readonly blob: Uint8Array;
}

/** SHA-1 with RSA: signatures of that kind can be made for two texts at once. */
const SHA1_RSA = 'ssh-rsa';

const HASHES: Readonly<Record<string, string | undefined>> = {
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
};
const ED25519_SIGNATURE_BYTES = 64;

/** @throws {SshFormatError} */
export function readSignature(bytes: Uint8Array): SshSignature {
  const reader = new SshReader(bytes);
  const signature = { format: reader.text('the signature algorithm'), blob: reader.bytes('the signature') };
  reader.finish('the signature');
  return signature;
}

/** Signs with the best algorithm that every SSH program has for the key; never with SHA-1. */
export function signWith(privateKey: KeyObject, data: Uint8Array): SshSignature {
  const { type } = publicKeyOf(privateKey);
  if (type === 'ssh-ed25519') return { format: type, blob: sign(null, data, privateKey) };
  if (type === 'ssh-rsa') return { format: 'rsa-sha2-512', blob: sign('sha512', data, privateKey) };
  const numbers = sign(HASHES[type], data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const half = numbers.length / 2;
  return {
    format: type,
    blob: Buffer.concat([sshPositive(numbers.subarray(0, half)), sshPositive(numbers.subarray(half))]),
  };
}

/**
 * Whether the signature holds.
 *
 * @throws {SshFormatError} for an algorithm that is not one of the key, or is SHA-1 without `allowSha1`
 */
export function signatureHolds(
  { type, key }: SshPublicKey,
  data: Uint8Array,
  { format, blob }: SshSignature,
  options: { readonly allowSha1?: boolean } = {},
): boolean {
  if (type === 'ssh-ed25519' && format === type) {
    return blob.length === ED25519_SIGNATURE_BYTES && verify(null, data, key, blob);
  }
  if (type === 'ssh-rsa') return verify(rsaHash(format, options.allowSha1 === true), data, key, blob);
  if (format !== type) throw new SshFormatError(`${quoted(format)} is no signature algorithm of a ${type} key`);
  const numbers = numbersOf(blob, CURVES[type.slice('ecdsa-sha2-'.length)]?.bytes ?? 0);
  return numbers !== undefined && verify(HASHES[type], data, { key, dsaEncoding: 'ieee-p1363' }, numbers);
}

function rsaHash(format: string, allowSha1: boolean): string {
  if (format === SHA1_RSA) {
    if (allowSha1) return 'sha1';
    throw new SshFormatError(
      'the signature is made with SHA-1, which is not accepted; use rsa-sha2-256 or rsa-sha2-512',
    );
  }
  const hash = format.startsWith('rsa-') ? HASHES[format] : undefined;
  if (hash === undefined) throw new SshFormatError(`${quoted(format)} is no signature algorithm of an RSA key`);
  return hash;
}

/** Both numbers at the size of the curve (RFC 5656 section 3.1.2); undefined if one is too great. */
function numbersOf(blob: Uint8Array, size: number): Uint8Array | undefined {
  const reader = new SshReader(blob);
  const numbers = [reader.positive('the number r'), reader.positive('the number s')];
  reader.finish('the signature');
  if (numbers.some(({ length }) => length > size)) return undefined;
  return Buffer.concat(numbers.flatMap((number) => [Buffer.alloc(size - number.length), number]));
}
