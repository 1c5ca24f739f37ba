import type { JsonValue } from '../json/json-value.ts';

/** Longest hint kept, in seconds: a leap year. What publishers mean by more is "rarely". */
const LONGEST = 366 * 86_400;

/**
 * `spiffe_refresh_hint` in whole seconds; 0 when there is none or it makes no sense. A wrong hint is no reason to reject
 * the authorities of a bundle (TDB-08).
 */
export function readRefreshHint(value: JsonValue | undefined): number {
  if (typeof value === 'bigint') return value > 0n ? LONGEST : 0;
  if (typeof value !== 'number' || value <= 0) return 0;
  return Math.min(Math.ceil(value), LONGEST);
}

/**
 * Seconds until a publisher is asked again: its hint within local bounds, five minutes without one (TDB-19, FED-06). A
 * short hint cannot make us ask more than once a minute (FED-50), a long one not keep us from hearing of a revocation for
 * more than a day.
 */
export function refreshInterval(
  hint: number,
  bounds: { readonly minimum?: number; readonly maximum?: number; readonly fallback?: number } = {},
): number {
  const { minimum = 60, maximum = 86_400, fallback = 300 } = bounds;
  return Math.min(Math.max(hint > 0 ? hint : fallback, minimum), maximum);
}
