import { performance } from 'node:perf_hooks';

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

/** One for all: a server ends thousands of naps a second, and an error's stack costs more than the nap. */
const ABORTED = new DOMException('The nap was ended early', 'AbortError');

function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(ABORTED);
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      reject(ABORTED);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** The machine's clock. The only place where JavaScript's milliseconds are seen. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
  async sleep(seconds: number, signal?: AbortSignal) {
    if (Number.isNaN(seconds)) throw new RangeError('cannot sleep for NaN seconds');
    let left = Math.max(0, seconds * 1000);
    do {
      const step = Math.min(left, LONGEST_TIMER_MS);
      await delay(step, signal);
      left -= step;
    } while (left > 0);
  },
});
