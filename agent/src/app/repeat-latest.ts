import type { Clock } from '@steeple/daemon';
import { pause } from './wake-up.ts';

/** Passes values on, and the newest one again whenever `again` seconds (asked after each) have passed without another. */
export async function* repeatLatest<T>(
  source: AsyncGenerator<T, void, undefined>,
  again: () => number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  let latest: { readonly value: T } | undefined;
  let next = source.next();
  try {
    while (!signal.aborted) {
      const change = await firstOf(next, latest === undefined ? undefined : again(), clock, signal);
      if (change !== undefined) {
        if (change.done === true) return;
        latest = { value: change.value };
        next = source.next();
      }
      if (latest !== undefined && !signal.aborted) yield latest.value;
    }
  } finally {
    // Not awaited: a source that is waiting for its next value ends when its own signal aborts.
    void source.return();
  }
}

/** What comes first: the promise, or, as undefined, the end of the time. */
async function firstOf<T>(
  promise: Promise<T>,
  seconds: number | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (seconds === undefined) return promise;
  const done = new AbortController();
  const time = pause(clock, seconds, AbortSignal.any([signal, done.signal])).then(() => undefined);
  try {
    return await Promise.race([promise, time]);
  } finally {
    done.abort();
  }
}
