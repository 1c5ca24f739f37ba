/** How retry delays grow; seconds, and `jitter` as a share of the delay (0.2: up to a fifth more or less). */
export interface BackoffShape {
  readonly initial: number;
  readonly max: number;
  readonly multiplier: number;
  readonly jitter: number;
}

/**
 * Seconds to wait before a retry.
 * @param attempt failed attempts so far, from 1; 0 counts as 1
 * @param random01 a random number in [0, 1); it spreads many clients that failed together
 */
export function backoff(attempt: number, random01: number, shape: BackoffShape): number {
  const grown = shape.initial * shape.multiplier ** Math.max(0, attempt - 1);
  const capped = Math.min(shape.max, grown);
  return Math.max(0, capped * (1 + shape.jitter * (2 * random01 - 1)));
}
