import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';

/** What one part of a process says of itself. Details are shown to whoever asks: no secrets. */
export interface CheckState {
  /** It works, or will again without a restart. */
  readonly live: boolean;
  /** It does its job now. */
  readonly ready: boolean;
  readonly liveDetails?: object;
  readonly readyDetails?: object;
}

export type HealthCheck = (signal: AbortSignal) => Promise<CheckState>;

/** A check that is passed when the work succeeds; else the reason stands under `key`. */
export const passesIf =
  (key: string, work: (signal: AbortSignal) => Promise<unknown>): HealthCheck =>
  async (signal) => {
    try {
      await work(signal);
      return { live: true, ready: true, liveDetails: {}, readyDetails: {} };
    } catch (error) {
      const details = { [key]: error instanceof Error ? error.message : String(error) };
      return { live: false, ready: false, liveDetails: details, readyDetails: details };
    }
  };

export interface HealthChecksParts {
  /** By the names that SPIRE gives its subsystems. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Seconds between two rounds: until all is well for the first time, while all is well, and while something is not. */
const STARTING = 1;
const WELL = 60;
const ILL = 5;
/** Seconds that one check may take. */
const TIMEOUT = 30;

const UNKNOWN: CheckState = { live: false, ready: false };

/** Asks every part from time to time, and remembers what they said. */
export class HealthChecks {
  readonly #parts: HealthChecksParts;
  readonly #states = new Map<string, CheckState>();

  constructor(parts: HealthChecksParts) {
    this.#parts = parts;
    for (const name of Object.keys(parts.checks)) this.#states.set(name, UNKNOWN);
  }

  get live(): boolean {
    return this.#all.every(({ live }) => live);
  }

  get ready(): boolean {
    return this.#all.every(({ ready }) => ready);
  }

  /** Details by part; null before the first round. */
  details(of: 'live' | 'ready'): Record<string, object | null> {
    const details = (state: CheckState) => (of === 'live' ? state.liveDetails : state.readyDetails) ?? null;
    return Object.fromEntries([...this.#states].map(([name, state]) => [name, details(state)]));
  }

  /** Asks until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (let pause = STARTING; ; ) {
      await this.check(signal);
      const isWell = this.live && this.ready;
      if (isWell) pause = WELL;
      else if (pause !== STARTING) pause = ILL;
      await this.#parts.clock.sleep(pause, signal);
    }
  }

  /** One round: all parts at once. */
  async check(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.entries(this.#parts.checks).map(([name, check]) => this.#one(name, check, signal)));
    signal.throwIfAborted();
  }

  async #one(name: string, check: HealthCheck, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const state = await Promise.race([
      check(AbortSignal.any([signal, over.signal])).catch((error: unknown): CheckState => {
        this.#parts.logger.error('A health check failed to run', { check: name, error });
        return UNKNOWN;
      }),
      this.#parts.clock.sleep(TIMEOUT, over.signal).then(
        () => tooSlow,
        () => UNKNOWN,
      ),
    ]);
    over.abort();
    if (signal.aborted) return;
    this.#tell(name, this.#states.get(name) ?? UNKNOWN, state);
    this.#states.set(name, state);
  }

  #tell(name: string, before: CheckState, after: CheckState): void {
    const wasWell = before.live && before.ready;
    const isWell = after.live && after.ready;
    const details = after.readyDetails ?? after.liveDetails;
    if (!isWell && (wasWell || before === UNKNOWN)) {
      this.#parts.logger.warn('Health check failed', { check: name, details });
    }
    if (isWell && !wasWell && before !== UNKNOWN) this.#parts.logger.info('Health check recovered', { check: name });
  }

  get #all(): CheckState[] {
    return [...this.#states.values()];
  }
}

const slow = { error: `no answer within ${TIMEOUT} seconds` };
const tooSlow: CheckState = { live: false, ready: false, liveDetails: slow, readyDetails: slow };
