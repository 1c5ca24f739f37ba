import { IssuerError } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';

/** Seconds between two lines about the same attestor. */
const QUIET = 10;

/** Tells the operator of an attestor that fails, and not as often as it is asked: each failure is a line only at debug level. */
export class AttestorFailures {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #untold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(attestor: string, { logger, clock }: { readonly logger: Logger; readonly clock: Clock }) {
    this.#logger = logger.child({ attestor });
    this.#clock = clock;
  }

  note(pid: number, error: unknown): void {
    // A caller that ended meanwhile is nobody's fault.
    if (error instanceof IssuerError && error.code === 'permission-denied') {
      this.#logger.debug('A caller ended while it was examined', { pid });
      return;
    }
    const now = this.#clock.monotonic();
    if (now - this.#toldAt < QUIET) {
      this.#untold++;
      this.#logger.debug('A workload attestor failed', { pid, error });
      return;
    }
    const more = this.#untold === 0 ? {} : { failuresBefore: this.#untold };
    this.#logger.warn('A workload attestor failed', { pid, ...more, error });
    this.#untold = 0;
    this.#toldAt = now;
  }
}
