export { SpiffeError, type SpiffeErrorCode, type SpiffeErrorOptions } from './errors.ts';
export { type IdMatcher, matchAny, matchExactly, matchMemberOf, matchOneOf } from './id/match.ts';
export { SpiffeId } from './id/spiffe-id.ts';
export { MAX_SPIFFE_ID_BYTES } from './id/split.ts';
export { MAX_TRUST_DOMAIN_BYTES, TrustDomain } from './id/trust-domain.ts';
export { KEY_TYPES, type KeyType, type KeyTypeRow, keyTypeOf } from './keys/key-type.ts';
export { localSigner, type Signer } from './keys/signer.ts';
