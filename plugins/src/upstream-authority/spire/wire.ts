import type { UpstreamTrust } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import {
  type Certificate,
  parseCertificate,
  publicKeyFromSpki,
  SpiffeError,
  type TokenAuthority,
  tokenAuthority,
} from '@steeple/spiffe';

/** What a server says it trusts, in values of ours. */
export function readTrust(bundle: types.Bundle): Required<UpstreamTrust> {
  return {
    marks: true,
    x509: bundle.x509Authorities.map(({ asn1, tainted }) => ({ certificate: parseCertificate(asn1), tainted })),
    jwt: readKeys(bundle.jwtAuthorities),
    wit: readKeys(bundle.witAuthorities),
  };
}

/** Without keys of a kind that we cannot verify with: the others still count. */
export function readKeys(keys: readonly (types.JWTKey | types.WITKey)[]): TokenAuthority[] {
  return keys.flatMap(({ keyId, publicKey, expiresAt, tainted }) => {
    try {
      return [tokenAuthority(keyId, publicKeyFromSpki(publicKey), { expiresAt: Number(expiresAt), tainted })];
    } catch (error) {
      if (error instanceof SpiffeError && error.code === 'unsupported-key') return [];
      throw error;
    }
  });
}

export function wireKey({ spki, kid, expiresAt, tainted }: TokenAuthority) {
  return { publicKey: Uint8Array.from(spki), keyId: kid, expiresAt: BigInt(expiresAt), tainted };
}

export function readChain(chain: readonly Uint8Array[]): readonly Certificate[] {
  return chain.map((der) => parseCertificate(der));
}
