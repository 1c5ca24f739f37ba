import { backoff } from '@steeple/proto/grpc';
import { refreshInterval, type TrustBundle } from '@steeple/spiffe';

/** Seconds between two attempts while nothing is known of a trust domain, and the shortest pause after a failure. */
const SHORTEST = 60;
/** So that many servers do not ask at once: this share of a pause is added at most. */
const JITTER = 0.1;

/**
 * Seconds until a bundle endpoint is asked again: what its bundle hints at, five minutes without a hint (SPIFFE Federation
 * 4.1). After failures sooner, but never within a minute and ever less often, up to the ordinary pause.
 *
 * @param failures failed attempts since the last success
 * @param random01 a random number in [0, 1)
 */
export const pollPause = (stored: TrustBundle | undefined, failures: number, random01: number): number => {
  const ordinary = refreshInterval(stored?.refreshHint ?? 0);
  const pause =
    failures === 0 ? ordinary : backoff(failures, 0, { initial: SHORTEST, multiplier: 2, max: ordinary, jitter: 0 });
  return Math.max(SHORTEST, pause) * (1 + JITTER * random01);
};
