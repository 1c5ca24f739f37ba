import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readSingle } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { SpiffeError } from '../errors.ts';
import { KEY_TYPES, type KeyType, keyTypeOf } from './key-type.ts';

/** A fresh private key. RSA keys take a while and block the thread. */
export function generateKey(type: KeyType): KeyObject {
  const { family, curve, modulusBits } = KEY_TYPES[type];
  if (family === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (family === 'rsa') return generateKeyPairSync('rsa', { modulusLength: modulusBits }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: curve ?? type }).privateKey;
}

/**
 * A private key from its unencrypted DER PKCS#8 form (RFC 5958).
 *
 * @throws SpiffeError `unsupported-key`, without a word about the contents
 */
export function privateKeyFromPkcs8(der: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    readSingle(der, TAG.sequence);
    key = createPrivateKey(`-----BEGIN PRIVATE KEY-----\n${encodeBase64(der)}\n-----END PRIVATE KEY-----`);
  } catch {
    // No cause: what a parser says about a secret is not to be kept.
    throw new SpiffeError('unsupported-key', 'private key is not valid PKCS#8');
  }
  keyTypeOf(key);
  return key;
}

/** The unencrypted DER PKCS#8 form of a private key. Secret. */
export function pkcs8Of(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }));
}
