import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Where this library takes time and chance from. All values are seconds. */
export interface ClientRim {
  /** Unix time. */
  now(): number;
  /** From an arbitrary start; never goes back. */
  monotonic(): number;
  /** In [0, 1). */
  random(): number;
  /** Rejects when the signal aborts. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

/** The machine's. */
export const systemRim: ClientRim = {
  now: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
  random: () => Math.random(),
  sleep: (seconds, signal) => delay(seconds * 1000, undefined, { signal }),
};
