import type { Clock } from '@steeple/daemon';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. Seconds; `now` and `monotonic` move together. */
export class FakeClock implements Clock {
  #now: number;
  readonly #start: number;
  #sleepers: Sleeper[] = [];
  #watchers: (() => void)[] = [];

  /** Default: 2030-01-01. */
  constructor(start = 1_893_456_000) {
    this.#now = start;
    this.#start = start;
  }

  // Bound, so that `clock.now` can be handed on alone.
  readonly now = (): number => this.#now;

  readonly monotonic = (): number => this.#now - this.#start;

  readonly sleep = (seconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal));
      const sleeper: Sleeper = {
        until: this.#now + Math.max(0, seconds),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(abortError(signal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
      for (const watcher of this.#watchers.splice(0)) watcher();
    });

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Seconds until the next one wakes; undefined when nobody sleeps. */
  get untilNext(): number | undefined {
    const next = Math.min(...this.#sleepers.map(({ until }) => until));
    return this.#sleepers.length === 0 ? undefined : next - this.#now;
  }

  /** Resolves when at least `count` are asleep: what was started before has come to its pause. */
  async settled(count = 1): Promise<void> {
    while (this.#sleepers.length < count) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Moves time on, waking whoever is due in order of their moments, and lets each run before the next. */
  async advance(seconds: number): Promise<void> {
    const target = this.#now + seconds;
    for (;;) {
      const due = this.#sleepers.filter(({ until }) => until <= target).sort((a, b) => a.until - b.until);
      const [next] = due;
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.until);
      next.wake();
      await turn();
    }
    this.#now = target;
    await turn();
  }

  /** Lets time pass, a second at a time, until the work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    const state = { done: false };
    const finished = work.finally(() => (state.done = true));
    finished.catch(() => {});
    while (!state.done) await this.advance(1);
    return finished;
  }

  /** Sets the time without waking anybody, as an administrator or a bad NTP server does. */
  jumpTo(now: number): void {
    this.#now = now;
  }
}

/** One full turn of the event loop: all promises that can go on have gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function abortError(signal: AbortSignal | undefined): Error {
  return new DOMException('The operation was aborted', { name: 'AbortError', cause: signal?.reason });
}
