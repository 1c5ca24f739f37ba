import { createPublicKey, type KeyObject } from 'node:crypto';
import { DerReader, readSingle } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { readOctetAlignedBits, readUnsigned } from '../der/values.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { decodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import type { KeyTypeRow } from './key-type.ts';
import { requireSoundRsa } from './rsa-soundness.ts';

/**
 * Everything before the key material, per kind. These kinds have exactly one DER encoding of each key (uncompressed
 * points), so comparing the beginning and the length is a complete check of the form.
 */
const FIXED_FORMS = [
  { family: 'ec', head: decodeHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'), length: 91 },
  { family: 'ec', head: decodeHex('3076301006072a8648ce3d020106052b8104002203620004'), length: 120 },
  { family: 'ec', head: decodeHex('30819b301006072a8648ce3d020106052b810400230381860004'), length: 158 },
  { family: 'ed25519', head: decodeHex('302a300506032b6570032100'), length: 44 },
] as const;

/** rsaEncryption with its NULL parameters. */
const RSA_ALGORITHM = decodeHex('300d06092a864886f70d0101010500');
const MAX_MODULUS_BYTES = 1024;

/**
 * A public key from its DER SubjectPublicKeyInfo. Only keys that are sound and in their one encoding are taken, so the
 * same bytes may be copied into a certificate.
 *
 * @throws SpiffeError `unsupported-key`
 */
export function publicKeyFromSpki(der: Uint8Array): KeyObject {
  if (fixedFormOf(der) !== undefined) return importSpki(der);
  requireRsaForm(der);
  const key = importSpki(der);
  requireSoundRsa(key);
  return key;
}

/**
 * The kind of a key, for whoever needs no more than that. The form is checked, the soundness of RSA keys too; that the
 * point of an EC key lies on its curve is known only after {@link publicKeyFromSpki}.
 *
 * @throws SpiffeError `unsupported-key`
 */
export function familyOfSpki(der: Uint8Array): KeyTypeRow['family'] {
  const form = fixedFormOf(der);
  if (form === undefined) publicKeyFromSpki(der);
  return form?.family ?? 'rsa';
}

/** DER SubjectPublicKeyInfo of a public key, or of the public half of a private one. */
export function spkiOf(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
}

/**
 * The bits that a key identifier is the digest of (RFC 5280 section 4.2.1.2, method 1).
 *
 * @throws SpiffeError `malformed-der`
 */
export function subjectPublicKeyBits(spki: Uint8Array): Uint8Array {
  const reader = readSingle(spki, TAG.sequence).reader();
  reader.expect(TAG.sequence);
  return readOctetAlignedBits(reader);
}

function fixedFormOf(der: Uint8Array) {
  return FIXED_FORMS.find(({ head, length }) => der.length === length && beginsWith(der, head));
}

function importSpki(der: Uint8Array): KeyObject {
  try {
    // From PEM, because OpenSSL's DER path tries several decoders first and takes more than twice as long.
    return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${encodeBase64(der)}\n-----END PUBLIC KEY-----`);
  } catch (cause) {
    throw new SpiffeError('unsupported-key', 'public key is not valid', { cause });
  }
}

function requireRsaForm(der: Uint8Array): void {
  try {
    const outer = readSingle(der, TAG.sequence).reader();
    if (!beginsWith(outer.expect(TAG.sequence).raw, RSA_ALGORITHM)) throw unsupported('unsupported kind of public key');
    const key = readSingle(readOctetAlignedBits(outer), TAG.sequence).reader();
    outer.finish();
    requireModulusAndExponent(key);
  } catch (cause) {
    if (cause instanceof SpiffeError && cause.code === 'unsupported-key') throw cause;
    throw new SpiffeError('unsupported-key', 'public key is not valid DER', { cause });
  }
}

/** Sizes before import: big numbers cost the importer time. */
function requireModulusAndExponent(key: DerReader): void {
  const modulus = readUnsigned(key);
  readUnsigned(key);
  key.finish();
  if (modulus.length > MAX_MODULUS_BYTES) throw unsupported('RSA modulus of more than 8192 bits');
}

function beginsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.every((byte, index) => bytes[index] === byte);
}

function unsupported(message: string): SpiffeError {
  return new SpiffeError('unsupported-key', message);
}
