import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type KeyType, keyTypeOf } from './key-type.ts';

/**
 * Something that signs: a key in memory, or one that never leaves a token or a remote key service. `sign` may answer at
 * once or later.
 */
export interface Signer {
  readonly type: KeyType;
  readonly publicKey: KeyObject;
  /** ECDSA as DER, RSA as PKCS#1 v1.5, Ed25519 raw; hashed as the row of {@link KeyType} says. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/**
 * A signer over a private key in this process.
 *
 * @throws SpiffeError `unsupported-key`
 */
export function localSigner(privateKey: KeyObject): Signer {
  if (privateKey.type !== 'private') throw new TypeError('localSigner needs a private key');
  const { type, hash } = keyTypeOf(privateKey);
  return {
    type,
    publicKey: createPublicKey(privateKey),
    // The bare KeyObject and no options object: both are measurably faster than the alternatives.
    sign: (data) => sign(hash, data, privateKey),
  };
}
