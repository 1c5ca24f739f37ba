import type { KeyObject } from 'node:crypto';
import type { BundleSource } from '../bundle/bundle-source.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { JwsAlgorithm } from '../jwt/algorithm.ts';
import { readClaims } from '../jwt/compact-jws.ts';
import { refused, WIT_SVID } from '../jwt/token-kind.ts';
import { verifyProofToken, type WitProof } from './proof-token.ts';
import { momentOf, readDate, requireStarted, requireSubject, requireUnexpired } from './token-claims.ts';
import { requireBundle, requireSignature } from './token-trust.ts';
import { readConfirmation } from './wit-confirmation.ts';
import { readWitSvid } from './wit-header.ts';

/** A workload that presented a WIT-SVID and proved to hold its key. */
export interface WitSvid {
  readonly id: SpiffeId;
  readonly token: string;
  /** The key the workload holds, and the algorithm of its proofs. */
  readonly publicKey: KeyObject;
  readonly algorithm: JwsAlgorithm;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Unix seconds; `undefined` if the token does not say. */
  readonly issuedAt: number | undefined;
  /** All claims. Objects have no prototype, integers beyond 2^53 are `bigint`s. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface VerifyWitSvidOptions {
  /** Unix seconds. */
  readonly now: number;
  /** Forgiven difference between clocks in seconds, 0 to 120; default 60. */
  readonly leeway?: number;
  /** Policy: longest life in seconds that a token may have, from `nbf`, or from now if it has none (WIT-21). */
  readonly maxLifetime?: number;
}

/**
 * Verifies a WIT-SVID together with the proof that its presenter holds the key (WIT-SVID sections 2 to 5). There is no way
 * to verify one without a proof: it is not a bearer token (WIT-27, WIT-29).
 *
 * @throws SpiffeError `invalid-token`, `no-bundle`, `untrusted`, `expired`, `not-yet-valid`, `invalid-proof`
 * @throws RangeError for a leeway that is not allowed
 */
export function verifyWitSvid(
  token: string,
  bundles: BundleSource,
  proof: WitProof,
  options: VerifyWitSvidOptions,
): WitSvid {
  const moment = momentOf(options);

  const jws = readWitSvid(token); // WIT-01, WIT-02, WIT-05, WIT-06, WIT-07, WIT-09
  const claims = readClaims(jws);
  const id = requireSubject(claims, WIT_SVID); // WIT-10
  const authority = requireBundle(jws, id, bundles).witAuthority(jws.kid); // ID-28, WIT-03, WIT-34, WIT-35
  requireSignature(jws, authority === undefined ? [] : [authority]); // ID-25

  const expiresAt = requireUnexpired(claims, moment, WIT_SVID); // WIT-17, WIT-18, WIT-19
  const notBefore = requireStarted(claims, moment, WIT_SVID); // WIT-20
  requireLifetime(expiresAt - (notBefore ?? moment.now), options.maxLifetime); // WIT-21
  requireNoAudience(claims); // WIT-24
  const confirmation = readConfirmation(claims); // WIT-11, WIT-12, WIT-13, WIT-H1
  verifyProofToken(proof, { id, token, ...confirmation }, moment); // WIT-27, WIT-28, WIT-37

  return {
    id,
    token,
    publicKey: confirmation.publicKey,
    algorithm: confirmation.algorithm.name,
    expiresAt,
    issuedAt: readDate(claims, 'iat', WIT_SVID), // WIT-22: never a limit
    claims,
  };
}

function requireLifetime(lifetime: number, maxLifetime: number | undefined): void {
  if (maxLifetime === undefined || lifetime <= maxLifetime) return;
  throw refused(WIT_SVID, 'WIT-21', 'lives longer than the policy allows');
}

function requireNoAudience(claims: JsonObject): void {
  if ('aud' in claims) throw refused(WIT_SVID, 'WIT-24', 'an audience is not allowed');
}
