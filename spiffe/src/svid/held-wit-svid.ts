import { createPublicKey, type KeyObject } from 'node:crypto';
import type { SpiffeId } from '../id/spiffe-id.ts';
import { isJsonObject } from '../json/json-value.ts';
import { parseJson } from '../json/strict-json.ts';
import type { JwsAlgorithm } from '../jwt/algorithm.ts';
import { readClaims } from '../jwt/compact-jws.ts';
import { privateKeyFromJwk } from '../jwt/jwk.ts';
import { refused, WIT_SVID } from '../jwt/token-kind.ts';
import { requireExpiry, requireSubject } from './token-claims.ts';
import { readConfirmation } from './wit-confirmation.ts';
import { readWitSvid } from './wit-header.ts';

/** A WIT-SVID in the hands of the workload it was issued to, with the key to prove it. Never log it. */
export interface HeldWitSvid {
  readonly id: SpiffeId;
  readonly token: string;
  readonly privateKey: KeyObject;
  readonly algorithm: JwsAlgorithm;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** What the issuer suggests to use it for; empty if nothing. */
  readonly hint: string;
}

const JWK_LIMITS = { maxBytes: 16_384, maxDepth: 4 };

/**
 * Reads a WIT-SVID and its private JWK as the Workload API delivers them. It says nothing about anybody else's identity:
 * the signature is not checked, but the two halves must belong together (WIT-H1).
 *
 * @throws SpiffeError `invalid-token`, `malformed-json` or `unsupported-key`
 */
export function parseHeldWitSvid(token: string, privateJwk: string | Uint8Array, hint = ''): HeldWitSvid {
  const claims = readClaims(readWitSvid(token));
  const { publicKey, algorithm } = readConfirmation(claims);
  const jwk = parseJson(privateJwk, JWK_LIMITS);
  if (!isJsonObject(jwk)) throw refused(WIT_SVID, 'WIT-H1', 'the private key is no JWK');
  const privateKey = privateKeyFromJwk(jwk);
  if (!createPublicKey(privateKey).equals(publicKey)) {
    throw refused(WIT_SVID, 'WIT-H1', 'the private key is not that of the token');
  }
  return {
    id: requireSubject(claims, WIT_SVID),
    token,
    privateKey,
    algorithm: algorithm.name,
    expiresAt: requireExpiry(claims, WIT_SVID),
    hint,
  };
}
