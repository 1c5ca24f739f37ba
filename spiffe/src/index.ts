export { SpiffeError, type SpiffeErrorCode, type SpiffeErrorOptions } from './errors.ts';
export { KEY_TYPES, type KeyType, type KeyTypeRow, keyTypeOf } from './keys/key-type.ts';
export { localSigner, type Signer } from './keys/signer.ts';
