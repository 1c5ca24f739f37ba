import type { Clock } from '@steeple/daemon';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/**
 * Time that passes when it is told to, for any number of machines. Sleeping follows one even flow; what a machine takes for
 * the date may be off from it, and may be set.
 */
export class SimulatedTime {
  readonly #start: number;
  #elapsed = 0;
  #suspended = 0;
  /** A binary heap, the next to wake first. */
  readonly #sleepers: Sleeper[] = [];

  /** @param start Unix seconds */
  constructor(start: number) {
    this.#start = start;
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return this.#elapsed;
  }

  /** The clock of one machine. */
  machine(offset = 0): MachineClock {
    return new MachineClock(this, offset);
  }

  /** Unix seconds on a machine without an error. */
  get now(): number {
    return this.#start + this.#elapsed + this.#suspended;
  }

  sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    if (Number.isNaN(seconds)) throw new RangeError('cannot sleep for NaN seconds');
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal));
      let awake = false;
      const onAbort = (): void => {
        // Its place in the heap stays; waking it later does nothing.
        awake = true;
        reject(aborted(signal));
      };
      const wake = (): void => {
        if (awake) return;
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#push({ until: this.#elapsed + Math.max(0, seconds), wake });
    });
  }

  /** Lets time pass, waking whoever is due, each at its moment and with a turn to go on before the next. */
  async pass(seconds: number): Promise<void> {
    const target = this.#elapsed + seconds;
    for (let next = this.#sleepers[0]; next !== undefined && next.until <= target; next = this.#sleepers[0]) {
      this.#pop();
      this.#elapsed = Math.max(this.#elapsed, next.until);
      next.wake();
      await turn();
    }
    this.#elapsed = target;
  }

  /** The machines were all suspended: dates go on, and nobody was woken meanwhile. */
  suspend(seconds: number): void {
    this.#suspended += seconds;
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#sleepers;
    let at = heap.push(sleeper) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && later(heap[parent], heap[at]); parent = (at - 1) >> 1) {
      swap(heap, at, parent);
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#sleepers;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (left < heap.length && later(heap[first], heap[left])) first = left;
      if (right < heap.length && later(heap[first], heap[right])) first = right;
      if (first === at) return;
      swap(heap, at, first);
      at = first;
    }
  }
}

/** Seconds; `offset` is what the machine's date is off by. */
export class MachineClock implements Clock {
  readonly #time: SimulatedTime;
  offset: number;

  constructor(time: SimulatedTime, offset: number) {
    this.#time = time;
    this.offset = offset;
  }

  // Bound, so that `clock.now` can be handed on alone.
  readonly now = (): number => this.#time.now + this.offset;
  readonly monotonic = (): number => this.#time.elapsed;
  readonly sleep = (seconds: number, signal?: AbortSignal): Promise<void> => this.#time.sleep(seconds, signal);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const later = (a: Sleeper | undefined, b: Sleeper | undefined): boolean => (a?.until ?? 0) > (b?.until ?? 0);

function swap(heap: Sleeper[], a: number, b: number): void {
  const [x, y] = [heap[a], heap[b]];
  if (x === undefined || y === undefined) return;
  heap[a] = y;
  heap[b] = x;
}

function aborted(signal: AbortSignal | undefined): Error {
  return new DOMException('The operation was aborted', { name: 'AbortError', cause: signal?.reason });
}
