export {
  type FormatBundleOptions,
  formatBundleDocument,
  MAX_BUNDLE_BYTES,
  parseBundleDocument,
} from './bundle/bundle-document.ts';
export { formatBundleMap, parseBundleMap } from './bundle/bundle-map.ts';
export { BundleSet } from './bundle/bundle-set.ts';
export type { BundleSource } from './bundle/bundle-source.ts';
export { formatJwks, parseJwks } from './bundle/jwks.ts';
export type { OnIgnoredKey } from './bundle/key-set.ts';
export { refreshInterval } from './bundle/refresh-hint.ts';
export { type TokenAuthority, tokenAuthority } from './bundle/token-authority.ts';
export { TrustBundle, type TrustBundleParts } from './bundle/trust-bundle.ts';
export type { X509Authority } from './bundle/x509-authority.ts';
export { decodeBase64, encodeBase64 } from './encoding/base64.ts';
export { encodeUtf8 } from './encoding/utf8.ts';
export { SpiffeError, type SpiffeErrorCode, type SpiffeErrorOptions } from './errors.ts';
export { type IdMatcher, matchAny, matchExactly, matchMemberOf, matchOneOf } from './id/match.ts';
export { SpiffeId } from './id/spiffe-id.ts';
export { MAX_SPIFFE_ID_BYTES } from './id/split.ts';
export { MAX_TRUST_DOMAIN_BYTES, TrustDomain } from './id/trust-domain.ts';
export { isJsonObject, type JsonObject, type JsonValue } from './json/json-value.ts';
export { type JsonLimits, parseJson } from './json/strict-json.ts';
export type { JwsAlgorithm } from './jwt/algorithm.ts';
export { type ForeignToken, readForeignToken } from './jwt/foreign-token.ts';
export { type Jwk, privateJwk, publicJwk, publicKeyFromJwk } from './jwt/jwk.ts';
export type { JwtSigner } from './jwt/sign-compact-jws.ts';
export { KEY_TYPES, type KeyType, type KeyTypeRow, keyTypeOf } from './keys/key-type.ts';
export { generateKey, pkcs8Of, privateKeyFromPkcs8 } from './keys/private-key.ts';
export { localSigner, type Signer } from './keys/signer.ts';
export { publicKeyFromSpki, spkiOf } from './keys/spki.ts';
export { type HeldWitSvid, parseHeldWitSvid } from './svid/held-wit-svid.ts';
export { type JwtSvid, parseJwtSvidUnverified } from './svid/jwt-svid.ts';
export { makeProofToken, type ProofTokenContent } from './svid/make-proof-token.ts';
export type { CoveredTokens, WitProof } from './svid/proof-token.ts';
export { type JwtSvidContent, signJwtSvid } from './svid/sign-jwt-svid.ts';
export { signWitSvid, type WitSvidContent } from './svid/sign-wit-svid.ts';
export type { X509SvidSource } from './svid/sources.ts';
export { type VerifyJwtSvidOptions, verifyJwtSvid } from './svid/verify-jwt-svid.ts';
export { type VerifyWitSvidOptions, verifyWitSvid, type WitSvid } from './svid/verify-wit-svid.ts';
export { type VerifiedX509Svid, type VerifyX509SvidOptions, verifyX509Svid } from './svid/verify-x509-svid.ts';
export { X509Svid } from './svid/x509-svid.ts';
export { Certificate, parseCertificate } from './x509/certificate.ts';
export { concatCertificates, parseCertificates } from './x509/certificates.ts';
export { buildPath, type PathInput } from './x509/chain.ts';
export { type Csr, readCsr } from './x509/csr.ts';
export { isDnsName } from './x509/dns-name.ts';
export { downstreamSubject } from './x509/downstream-subject.ts';
export type { BasicConstraints } from './x509/extensions.ts';
export { type CaRequest, type LeafRequest, X509Issuer } from './x509/issue.ts';
export type { KeyUsage } from './x509/key-usage.ts';
export { type CsrContent, makeCsr } from './x509/make-csr.ts';
export { encodeName, type NameAttributes } from './x509/name.ts';
export type { NameConstraints, Subtree } from './x509/name-constraints.ts';
export { parseCertificatesPem, parsePem, toPem } from './x509/pem.ts';
export { RevocationList } from './x509/revocation-list.ts';
export { type SelfSignedCaRequest, selfSignedCa } from './x509/self-signed-ca.ts';
