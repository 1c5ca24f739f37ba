import { createHash } from 'node:crypto';
import { encodeBase64url } from '../encoding/base64.ts';
import type { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { readClaims, readCompactJws } from '../jwt/compact-jws.ts';
import { verifyWith } from '../jwt/signature.ts';
import { PROOF_TOKEN, refused } from '../jwt/token-kind.ts';
import { type Moment, requireStarted, requireUnexpired } from './token-claims.ts';
import type { WitConfirmation } from './wit-confirmation.ts';

/** Longest life of a proof that is accepted unless the verifier says otherwise, in seconds (WIT-37). */
export const MAX_PROOF_LIFETIME = 300;

/** Other tokens of the same request, which a proof covers with the claims `ath`, `tth` and `oth`. */
export interface CoveredTokens {
  readonly accessToken?: string | undefined;
  readonly transactionToken?: string | undefined;
  /** By the name under which the application knows them. */
  readonly others?: Readonly<Record<string, string>> | undefined;
}

/** What a workload presents beside its WIT-SVID, and what the verifier expects of it. */
export interface WitProof {
  /** Content of the one `Workload-Proof-Token` header field. */
  readonly token: string;
  /** The verifier's own URI of the request, without query and fragment. */
  readonly audience: string;
  /** Other tokens that came with the request; the proof must cover exactly these. */
  readonly covered?: CoveredTokens;
  /** Longest life in seconds; default {@link MAX_PROOF_LIFETIME}. */
  readonly maxLifetime?: number;
  /** Called last: remembers a proof until `expiresAt` and says whether it is new. Without it a proof may be reused. */
  readonly firstUse?: (proof: { id: SpiffeId; jti: string; expiresAt: number }) => boolean;
}

/** Whose proof it is: the workload of a WIT-SVID that has been verified. */
export interface ProofHolder extends WitConfirmation {
  readonly id: SpiffeId;
  /** The WIT-SVID as received. */
  readonly token: string;
}

/**
 * Checks a Workload Proof Token (WIMSE) against the WIT-SVID it came with.
 *
 * @throws SpiffeError `invalid-proof`, or `expired`, `not-yet-valid` for its times
 */
export function verifyProofToken(proof: WitProof, holder: ProofHolder, moment: Moment): void {
  const jws = readCompactJws(proof.token, PROOF_TOKEN);
  const { header } = jws;
  if ('crit' in header) throw unproven('a critical header parameter is not understood');
  if (header['typ'] !== 'wpt+jwt') throw unproven('the type is not wpt+jwt');
  if (jws.algorithm !== holder.algorithm) throw unproven('the algorithm is not that of the WIT-SVID');
  if (!verifyWith(jws.algorithm, holder.publicKey, jws.signed, jws.signature)) {
    throw unproven('not signed with the key of the WIT-SVID');
  }

  const claims = readClaims(jws);
  if (claims['wth'] !== tokenHash(holder.token)) throw unproven('made for another WIT-SVID');
  if (claims['aud'] !== proof.audience) throw unproven('meant for another target');
  const expiresAt = requireUnexpired(claims, moment, PROOF_TOKEN);
  requireStarted(claims, moment, PROOF_TOKEN);
  if (expiresAt > moment.now + moment.leeway + (proof.maxLifetime ?? MAX_PROOF_LIFETIME)) {
    throw refused(PROOF_TOKEN, 'WIT-37', 'lives too long');
  }
  requireCovered(claims, proof.covered ?? {});

  const { jti } = claims;
  if (typeof jti !== 'string' || jti === '') throw unproven('no id');
  if (proof.firstUse?.({ id: holder.id, jti, expiresAt: expiresAt + moment.leeway }) === false) {
    throw refused(PROOF_TOKEN, 'WIT-39', 'used before');
  }
}

/** base64url(SHA-256(ASCII token)), the value of `wth`, `ath`, `tth` and each member of `oth`. */
export function tokenHash(token: string): string {
  return encodeBase64url(createHash('sha256').update(token).digest());
}

/** The hash claims of the other tokens of a request; absent ones are left out. */
export function coverageClaims({ accessToken, transactionToken, others }: CoveredTokens): Record<string, unknown> {
  const hashes = Object.entries(others ?? {}).map(([name, token]) => [name, tokenHash(token)] as const);
  return {
    ...(accessToken === undefined ? undefined : { ath: tokenHash(accessToken) }),
    ...(transactionToken === undefined ? undefined : { tth: tokenHash(transactionToken) }),
    ...(hashes.length === 0 ? undefined : { oth: Object.fromEntries(hashes) }),
  };
}

/** Covered is exactly what was sent: nothing left out, and nothing that cannot be checked. */
function requireCovered(claims: JsonObject, covered: CoveredTokens): void {
  const expected = coverageClaims(covered);
  if (claims['ath'] !== expected['ath']) throw unproven('does not cover the access token of this request');
  if (claims['tth'] !== expected['tth']) throw unproven('does not cover the transaction token of this request');
  if (sortedPairs(claims['oth']) !== sortedPairs(expected['oth'] as JsonValue | undefined)) {
    throw unproven('does not cover the other tokens of this request');
  }
}

function sortedPairs(others: JsonValue | undefined): string {
  if (!isJsonObject(others)) return others === undefined ? 'none' : 'malformed';
  const pairs = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.every(([, hash]) => typeof hash === 'string') ? JSON.stringify(pairs) : 'malformed';
}

function unproven(problem: string): SpiffeError {
  return refused(PROOF_TOKEN, PROOF_TOKEN.shape, problem);
}
