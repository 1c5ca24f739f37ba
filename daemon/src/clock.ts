import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a process gets its time from. All values are seconds. */
export interface Clock {
  /** Unix time, with a fraction. May jump when the machine's clock is set. */
  now(): number;
  /** Resolves after `seconds`; rejects with an `AbortError` as soon as the signal aborts. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
  /** Seconds from an arbitrary start; never goes back. */
  monotonic(): number;
}

/** Node's timers fire at once beyond this delay. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. The only place where JavaScript's milliseconds are seen. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
  async sleep(seconds: number, signal?: AbortSignal) {
    if (Number.isNaN(seconds)) throw new RangeError('cannot sleep for NaN seconds');
    const options = signal === undefined ? {} : { signal };
    let left = Math.max(0, seconds * 1000);
    do {
      const step = Math.min(left, LONGEST_TIMER_MS);
      await delay(step, undefined, options);
      left -= step;
    } while (left > 0);
  },
});
