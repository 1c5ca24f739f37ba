import type { MessageInitShape } from '@bufbuild/protobuf';
import { IssuerError } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import {
  parseCertificate,
  publicKeyFromSpki,
  type TokenAuthority,
  TrustBundle,
  type X509Authority,
} from '@steeple/spiffe';
import { readInt, wireTime } from './number.ts';
import { orInvalid, prefixed, readTrustDomain } from './spiffe-id.ts';

export type WireBundle = MessageInitShape<typeof types.BundleSchema>;
export type WireTokenKey = Omit<types.JWTKey, '$typeName' | '$unknown'>;
export type BundleMask = Readonly<Record<keyof Omit<types.BundleMask, '$typeName' | '$unknown'>, boolean>>;

/** The wire form of a bundle. Without a mask it is whole; the trust domain is always there. */
export const wireBundle = (bundle: TrustBundle, mask?: BundleMask): WireBundle => {
  const has = (field: keyof BundleMask): boolean => !mask || mask[field];
  return {
    trustDomain: bundle.trustDomain.name,
    ...(has('x509Authorities') && { x509Authorities: bundle.x509Authorities.map(wireX509Authority) }),
    ...(has('jwtAuthorities') && { jwtAuthorities: bundle.jwtAuthorities.map(wireTokenAuthority) }),
    ...(has('witAuthorities') && { witAuthorities: bundle.witAuthorities.map(wireTokenAuthority) }),
    ...(has('refreshHint') && { refreshHint: BigInt(bundle.refreshHint) }),
    ...(has('sequenceNumber') && { sequenceNumber: bundle.sequence }),
  };
};

export const wireTokenAuthority = (authority: TokenAuthority): WireTokenKey => ({
  publicKey: Uint8Array.from(authority.spki),
  keyId: authority.kid,
  expiresAt: wireTime(authority.expiresAt),
  tainted: authority.tainted,
});

const wireX509Authority = (authority: X509Authority): { asn1: Uint8Array<ArrayBuffer>; tainted: boolean } => ({
  asn1: Uint8Array.from(authority.certificate.raw),
  tainted: authority.tainted,
});

/** Reads a whole bundle of a federated trust domain. @throws {IssuerError} `invalid-argument` with SPIRE's texts */
export const readBundle = (wire: types.Bundle): TrustBundle => {
  const trustDomain = prefixed('trust domain argument is not valid', () => readTrustDomain(wire.trustDomain));
  const parts = {
    x509Authorities: readX509Authorities(wire.x509Authorities),
    jwtAuthorities: readTokenAuthorities(wire.jwtAuthorities, 'JWT'),
    witAuthorities: readTokenAuthorities(wire.witAuthorities, 'WIT'),
    refreshHint: readInt(wire.refreshHint, 'refresh_hint'),
    sequence: wire.sequenceNumber,
  };
  return prefixed('failed to convert bundle', () => orInvalid(() => TrustBundle.of(trustDomain, parts)));
};

/** Reads root certificates, one each. @throws {IssuerError} `invalid-argument` */
export const readX509Authorities = (wire: readonly types.X509Certificate[]): X509Authority[] =>
  prefixed('failed to convert X.509 authority', () =>
    wire.map(({ asn1, tainted }) => orInvalid(() => ({ certificate: parseCertificate(asn1), tainted }))),
  );

/** Reads token keys. @throws {IssuerError} `invalid-argument` */
export const readTokenAuthorities = (wire: readonly WireTokenKey[], kind: 'JWT' | 'WIT'): TokenAuthority[] =>
  prefixed(`failed to convert ${kind} authority`, () => wire.map(readTokenAuthority));

/** Reads the one key that a server below publishes. @throws {IssuerError} `invalid-argument` with SPIRE's texts */
export const readPublishedKey = (wire: WireTokenKey | undefined, kind: 'JWT' | 'WIT'): TokenAuthority => {
  if (!wire) throw new IssuerError('invalid-argument', `missing ${kind} authority`);
  return prefixed(`invalid ${kind} authority`, () => readTokenAuthority(wire));
};

/** Reads one token key. @throws {IssuerError} `invalid-argument` */
const readTokenAuthority = (wire: WireTokenKey): TokenAuthority => {
  if (wire.keyId === '') throw new IssuerError('invalid-argument', 'missing key ID');
  const publicKey = orInvalid(() => publicKeyFromSpki(wire.publicKey));
  return {
    kid: wire.keyId,
    publicKey,
    spki: wire.publicKey,
    expiresAt: readInt(wire.expiresAt, 'expires_at'),
    tainted: wire.tainted,
  };
};

/** The stored bundle with the fields of the mask taken from the given one; without a mask, the given one. */
export const maskedBundle = (stored: TrustBundle, given: TrustBundle, mask?: BundleMask): TrustBundle => {
  if (!mask) return given;
  return stored.with({
    ...(mask.x509Authorities && { x509Authorities: given.x509Authorities }),
    ...(mask.jwtAuthorities && { jwtAuthorities: given.jwtAuthorities }),
    ...(mask.witAuthorities && { witAuthorities: given.witAuthorities }),
    ...(mask.refreshHint && { refreshHint: given.refreshHint }),
    ...(mask.sequenceNumber && { sequence: given.sequence }),
  });
};
