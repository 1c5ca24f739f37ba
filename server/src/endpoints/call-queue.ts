import type { Clock } from '@steeple/daemon';
import { Code, GrpcError, retryInfo } from '@steeple/proto/grpc';

/** Costs are in units of about a millisecond of the processor. */
export interface CallQueueLimits {
  /** Units of the calls that run at the same time. */
  readonly running: number;
  /** Units begun in one turn of the event loop: for whoever else calls, nothing takes longer. */
  readonly perTurn: number;
  /** Seconds that a call may have to wait; who would wait longer is told when to come again. */
  readonly wait: number;
}

const LIMITS: CallQueueLimits = { running: 64, perTurn: 32, wait: 5 };

/** Units per second, until it is known. */
const FIRST_GUESS = 500;
const SLOWEST = 10;

/** Seconds of which the pace is taken, and the longest time anybody is sent away for. */
const WINDOW = 1;
const LONGEST_PAUSE = 120;

interface Waiting {
  readonly cost: number;
  readonly admit: () => void;
}

/**
 * Lets calls run at the pace at which this process gets them done.
 *
 * 1. Calls run in the order they came; a call that costs more than all that may run does so alone.
 * 2. What waits is bounded by time: beyond it a call is refused with UNAVAILABLE and an appointment (RetryInfo). Each
 *    appointment is later than the last one by what that call costs, so those sent away do not come back all at once.
 */
export class CallQueue {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #limits: CallQueueLimits;
  readonly #queue = new Set<Waiting>();
  #waiting = 0;
  /** How many run, and what they cost: fractions that are added and taken away again do not come back to nothing. */
  #calls = 0;
  #running = 0;
  #begun = 0;
  #turnEnds = false;
  /** Units per second while there is a queue. */
  #pace = FIRST_GUESS;
  #window: { readonly since: number; done: number } | undefined;
  #lastAppointment = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, limits: Partial<CallQueueLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Units that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The function that makes room again, at once or when it is this call's turn.
   *
   * @throws {GrpcError} `UNAVAILABLE`; the signal's reason
   */
  enter(cost: number, signal: () => AbortSignal): (() => void) | Promise<() => void> {
    if (this.#queue.size === 0 && this.#hasRoom(cost)) return this.#begin(cost);
    const wait = (this.#waiting + cost) / this.#pace;
    if (wait > this.#limits.wait) throw this.#refusal(cost, wait);
    return this.#queued(cost, signal());
  }

  #queued(cost: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    this.#window ??= { since: this.#clock.monotonic(), done: 0 };
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        cost,
        admit: () => {
          signal.removeEventListener('abort', leave);
          resolve(this.#begin(cost));
        },
      };
      const leave = (): void => {
        this.#take(entry);
        reject(signal.reason as Error);
        this.#admit();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.add(entry);
      this.#waiting += cost;
      this.#endTurn();
    });
  }

  #hasRoom(cost: number): boolean {
    if (this.#begun > 0 && this.#begun + cost > this.#limits.perTurn) return false;
    return this.#calls === 0 || this.#running + cost <= this.#limits.running;
  }

  #begin(cost: number): () => void {
    this.#calls += 1;
    this.#running += cost;
    this.#begun += cost;
    this.#endTurn();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#calls -= 1;
      this.#running = this.#calls === 0 ? 0 : this.#running - cost;
      this.#measure(cost);
      this.#admit();
    };
  }

  #endTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#begun = 0;
      this.#admit();
    });
  }

  #admit(): void {
    for (const next of this.#queue) {
      if (!this.#hasRoom(next.cost)) return;
      this.#take(next);
      next.admit();
    }
  }

  #take(entry: Waiting): void {
    if (!this.#queue.delete(entry)) return;
    this.#waiting -= entry.cost;
    if (this.#queue.size > 0) return;
    this.#waiting = 0;
    this.#window = undefined;
  }

  /** Learns the pace from seconds in which there was always something waiting. */
  #measure(cost: number): void {
    if (this.#window === undefined) return;
    this.#window.done += cost;
    const now = this.#clock.monotonic();
    const seconds = now - this.#window.since;
    if (seconds < WINDOW) return;
    this.#pace = Math.max(SLOWEST, (this.#pace + this.#window.done / seconds) / 2);
    this.#window = { since: now, done: 0 };
  }

  #refusal(cost: number, wait: number): GrpcError {
    const now = this.#clock.monotonic();
    const latest = now + LONGEST_PAUSE;
    this.#lastAppointment = Math.min(latest, Math.max(now + wait, this.#lastAppointment + cost / this.#pace));
    const seconds = this.#lastAppointment - now;
    const message = `the server has more to do than it can; try again in ${Math.ceil(seconds)} seconds`;
    return GrpcError.of(Code.UNAVAILABLE, message, retryInfo(seconds));
  }
}
