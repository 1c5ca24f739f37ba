import { IssuerError } from './errors.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** SPIRE's lifetimes, in seconds. */
export const LIFETIMES = Object.freeze({
  authority: DAY,
  x509Svid: HOUR,
  jwtSvid: 300,
  witSvid: HOUR,
  /** How far NotBefore lies in the past, for peers whose clock is slow. */
  backdate: 10,
  /** How long an expired authority stays in the bundle. */
  expiredAuthorityKept: DAY,
});

/** From when to when something is valid; whole Unix seconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * The moment to replace what is valid from `notBefore` to `notAfter`: half of its life, 10 % of that earlier or later.
 * `random01` in [0, 1) spreads a fleet that started together.
 */
export function rotateAt(notBefore: number, notAfter: number, random01: number): number {
  const half = (notAfter - notBefore) / 2;
  return notBefore + half * (0.9 + 0.2 * random01);
}

/**
 * As {@link rotateAt}, for agents that must outlive a server's absence of `target` seconds. Half life decides when less
 * than 12 h would be left between two rotations.
 */
export function rotateForAvailability(validity: Validity, target: number, random01: number): number {
  const { notBefore, notAfter } = validity;
  if (notAfter - notBefore - target < 12 * HOUR) return rotateAt(notBefore, notAfter, random01);
  return notAfter - target - random01 * 600;
}

/** When an authority was made and when it ends; Unix seconds. */
export interface AuthorityLife {
  readonly issuedAt: number;
  readonly notAfter: number;
}

/** Whether the successor of an active authority should exist by now: half its life is left, at most 30 days. */
export function shouldPrepare(active: AuthorityLife, now: number): boolean {
  return active.notAfter - now <= Math.min((active.notAfter - active.issuedAt) / 2, 30 * DAY);
}

/** Whether the successor should take over: a sixth of the active authority's life is left, at most 7 days. */
export function shouldActivate(active: AuthorityLife, now: number): boolean {
  return active.notAfter - now <= Math.min((active.notAfter - active.issuedAt) / 6, 7 * DAY);
}

/** Whether the successor can be waited for no longer: half of the time from {@link shouldActivate} to the end is over. */
export function mustActivate(active: AuthorityLife, now: number): boolean {
  return active.notAfter - now <= Math.min((active.notAfter - active.issuedAt) / 12, 3.5 * DAY);
}

/** The longest SVID lifetime that an authority of `authorityTtl` seconds never has to cut short. */
export function longestUncutTtl(authorityTtl: number): number {
  return Math.min(authorityTtl / 6, 7 * DAY);
}

/** An entry's own lifetime, or the default when it has none. */
export function effectiveTtl(ttl: number, fallback: number): number {
  return ttl > 0 ? ttl : fallback;
}

/**
 * Validity of a certificate issued now: backdated, never beyond its issuer.
 *
 * @throws {IssuerError} `unavailable` if the issuer has expired, `internal` for a lifetime below one second
 */
export function svidValidity(now: number, ttl: number, issuerNotAfter: number): Validity {
  const { issuedAt, expiresAt } = tokenValidity(now, ttl, issuerNotAfter);
  return { notBefore: issuedAt - LIFETIMES.backdate, notAfter: expiresAt };
}

/** `iat` and `exp` of a token issued now: never beyond its signing key. Throws as {@link svidValidity}. */
export function tokenValidity(now: number, ttl: number, keyNotAfter: number): { issuedAt: number; expiresAt: number } {
  if (!(ttl >= 1)) throw new IssuerError('internal', 'lifetime must be at least one second');
  const issuedAt = Math.floor(now);
  const expiresAt = Math.floor(Math.min(issuedAt + ttl, keyNotAfter));
  if (!(expiresAt > issuedAt)) throw new IssuerError('unavailable', 'signing authority has expired');
  return { issuedAt, expiresAt };
}
