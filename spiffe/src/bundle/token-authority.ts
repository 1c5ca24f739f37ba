import type { KeyObject } from 'node:crypto';
import { spkiOf } from '../keys/spki.ts';

/** A key that verifies JWT-SVIDs or WIT-SVIDs of one trust domain. */
export interface TokenAuthority {
  /** Opaque and case-sensitive (WIT-03). */
  readonly kid: string;
  readonly publicKey: KeyObject;
  /** DER SubjectPublicKeyInfo of `publicKey`. */
  readonly spki: Uint8Array;
  /** Unix seconds after which the issuer will not have tokens of this key in use; 0 when unknown. */
  readonly expiresAt: number;
  /** Known to be compromised: still listed, so that its tokens can be found and replaced. */
  readonly tainted: boolean;
}

/** A token authority over a public key. */
export function tokenAuthority(
  kid: string,
  publicKey: KeyObject,
  details: { readonly expiresAt?: number; readonly tainted?: boolean } = {},
): TokenAuthority {
  if (kid === '') throw new TypeError('a token authority needs a key id');
  if (publicKey.type !== 'public') throw new TypeError('a token authority holds a public key only');
  return {
    kid,
    publicKey,
    spki: spkiOf(publicKey),
    expiresAt: details.expiresAt ?? 0,
    tainted: details.tainted ?? false,
  };
}
