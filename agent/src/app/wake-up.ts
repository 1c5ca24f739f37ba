import type { Clock } from '@steeple/daemon';

/** One for all: the default reason of a signal is an error with a stack. */
const NUDGED = new DOMException('nudged', 'AbortError');

/** A nap that a nudge ends early. A nudge between two naps is not lost: the next nap ends at once. */
export class WakeUp {
  readonly #clock: Clock;
  #nudged = false;
  #napping: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nudge(): void {
    this.#nudged = true;
    this.#napping?.abort(NUDGED);
  }

  /** Returns after `seconds`, at the next nudge, or when the signal aborts; never throws. */
  async nap(seconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#nudged && !signal.aborted) {
      const napping = new AbortController();
      const end = (): void => napping.abort(NUDGED);
      signal.addEventListener('abort', end, { once: true });
      this.#napping = napping;
      await pause(this.#clock, seconds, napping.signal);
      this.#napping = undefined;
      signal.removeEventListener('abort', end);
    }
    this.#nudged = false;
  }
}

/** Sleeps, or returns early when the signal aborts; never throws. */
export async function pause(clock: Clock, seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(Math.max(0, seconds), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
