import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import type { JsonObject } from '../json/json-value.ts';
import { type CompactJws, readClaims, readCompactJws } from '../jwt/compact-jws.ts';
import { JWT_SVID, refused } from '../jwt/token-kind.ts';
import { DEFAULT_LEEWAY, momentOf, readDate, requireExpiry, requireSubject, requireUnexpired } from './token-claims.ts';

/** A JWT-SVID that was read. `token` is a bearer credential: never log it. */
export interface JwtSvid {
  readonly id: SpiffeId;
  readonly token: string;
  readonly audience: readonly string[];
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Unix seconds; `undefined` if the token does not say. */
  readonly issuedAt: number | undefined;
  /** All claims. Objects have no prototype, integers beyond 2^53 are `bigint`s. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the issuer suggests to use it for, as delivered by the Workload API; empty if nothing. */
  readonly hint: string;
}

/**
 * Reads a JWT-SVID without checking the signature: for a workload that received it from its own agent, over a channel that
 * it trusts, and will only present it. All other rules hold; the expiry is judged if `now` (Unix seconds) is given.
 *
 * @throws SpiffeError `invalid-token`, `wrong-audience`, `expired`
 */
export function parseJwtSvidUnverified(
  token: string,
  audience: readonly string[],
  options: { readonly now?: number; readonly leeway?: number; readonly hint?: string } = {},
): JwtSvid {
  const accepted = requireOwnAudience(audience);
  const jws = readCompactJws(token, JWT_SVID);
  requireJwtHeader(jws);
  const claims = readClaims(jws);
  const id = requireSubject(claims, JWT_SVID);
  const { now, leeway = DEFAULT_LEEWAY, hint = '' } = options;
  if (now === undefined) requireExpiry(claims, JWT_SVID);
  else requireUnexpired(claims, momentOf({ now, leeway }), JWT_SVID);
  return jwtSvidOf(jws, id, claims, requireAudience(claims, accepted), hint);
}

/** The value of a token whose rules have been checked. `iat` is a number if present, and never a limit. */
export function jwtSvidOf(
  jws: CompactJws,
  id: SpiffeId,
  claims: JsonObject,
  audience: readonly string[],
  hint = '',
): JwtSvid {
  const expiresAt = requireExpiry(claims, JWT_SVID);
  return { id, token: jws.token, audience, expiresAt, issuedAt: readDate(claims, 'iat', JWT_SVID), claims, hint };
}

/** Nothing but `alg`, `kid` and `typ` (JWT-H1), and `typ` is absent, `JWT` or `JOSE` (JWT-07). */
export function requireJwtHeader({ header }: CompactJws): void {
  const allowed = ['alg', 'kid', 'typ'];
  if (Object.keys(header).some((name) => !allowed.includes(name))) {
    throw refused(JWT_SVID, 'JWT-H1', 'a header parameter is not allowed');
  }
  const { typ } = header;
  if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE')
    throw refused(JWT_SVID, 'JWT-07', 'the type is not allowed');
}

/** The verifier's own audiences: none configured means that nothing can be verified, not that anything goes (JWT-26). */
export function requireOwnAudience(audience: readonly string[]): readonly string[] {
  if (!Array.isArray(audience)) throw new TypeError('audience must be an array');
  if (audience.length > 0 && audience.every((value) => typeof value === 'string' && value !== '')) return audience;
  throw new SpiffeError('wrong-audience', 'verifying a JWT-SVID needs an audience of one’s own', { rule: 'JWT-26' });
}

/** The token's audiences, one of which is the verifier's, byte for byte (JWT-10, RFC 7519 section 4.1.3). */
export function requireAudience(claims: JsonObject, accepted: readonly string[]): readonly string[] {
  const { aud } = claims;
  const audience = typeof aud === 'string' ? [aud] : aud;
  if (!Array.isArray(audience) || !audience.every((value) => typeof value === 'string')) {
    throw refused(JWT_SVID, 'JWT-10', 'no audience');
  }
  if (audience.some((value) => accepted.includes(value))) return audience;
  throw new SpiffeError('wrong-audience', 'JWT-SVID: meant for another audience', { rule: 'JWT-10' });
}
