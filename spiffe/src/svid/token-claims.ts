import { SpiffeError } from '../errors.ts';
import { SpiffeId } from '../id/spiffe-id.ts';
import type { JsonObject } from '../json/json-value.ts';
import { refused, type TokenKind } from '../jwt/token-kind.ts';

/** Difference between two clocks that verifiers forgive unless told otherwise, in seconds. */
export const DEFAULT_LEEWAY = 60;
/** WIT-SVID section 3.4: a couple of minutes at most. */
const MAX_LEEWAY = 120;

/** The moment of a check and the forgiven difference between clocks, in (Unix) seconds. */
export interface Moment {
  readonly now: number;
  readonly leeway: number;
}

/** @throws RangeError for a leeway outside 0 to {@link MAX_LEEWAY} or a time that is none (WIT-19) */
export function momentOf(options: { readonly now: number; readonly leeway?: number | undefined }): Moment {
  const { now, leeway = DEFAULT_LEEWAY } = options;
  if (!Number.isFinite(now)) throw new RangeError('now must be a number of Unix seconds');
  if (!(leeway >= 0 && leeway <= MAX_LEEWAY)) throw new RangeError(`leeway must be 0 to ${MAX_LEEWAY} seconds`);
  return { now, leeway };
}

/** The workload a token is about: `sub` is a SPIFFE ID, and one with a path (JWT-08, JWT-H3, WIT-10). */
export function requireSubject(claims: JsonObject, kind: TokenKind): SpiffeId {
  const { sub } = claims;
  if (typeof sub !== 'string') throw refused(kind, kind.subject, 'no subject');
  let id: SpiffeId;
  try {
    id = SpiffeId.parse(sub);
  } catch (cause) {
    throw refused(kind, kind.subject, 'the subject is no SPIFFE ID', cause);
  }
  if (id.path === '') throw refused(kind, 'JWT-H3', 'the subject is a whole trust domain');
  return id;
}

/** A NumericDate of RFC 7519 section 2 in Unix seconds; `undefined` if the claim is absent. */
export function readDate(claims: JsonObject, name: 'exp' | 'nbf' | 'iat', kind: TokenKind): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw refused(kind, kind.claims, `${name} is no number`);
}

/** The expiry, which every token has and which has not come (RFC 7519 section 4.1.4). */
export function requireUnexpired(claims: JsonObject, { now, leeway }: Moment, kind: TokenKind): number {
  const expiresAt = requireExpiry(claims, kind);
  if (now - leeway < expiresAt) return expiresAt;
  throw timing('expired', kind.expired, `${kind.name}: expired`);
}

/** The expiry, which every token has. */
export function requireExpiry(claims: JsonObject, kind: TokenKind): number {
  const expiresAt = readDate(claims, 'exp', kind);
  if (expiresAt === undefined) throw refused(kind, kind.expiryMissing, 'no expiry');
  return expiresAt;
}

/** `nbf`, if there is one, has come (RFC 7519 section 4.1.5). */
export function requireStarted(claims: JsonObject, { now, leeway }: Moment, kind: TokenKind): number | undefined {
  const notBefore = readDate(claims, 'nbf', kind);
  if (notBefore === undefined || notBefore <= now + leeway) return notBefore;
  throw timing('not-yet-valid', kind.notBefore, `${kind.name}: not yet valid`);
}

function timing(code: 'expired' | 'not-yet-valid', rule: string, message: string): SpiffeError {
  return new SpiffeError(code, message, { rule });
}
