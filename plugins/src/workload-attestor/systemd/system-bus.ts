import type { Clock } from '@steeple/daemon';
import { orAborted } from '@steeple/proto/grpc';
import { BUS_VARIABLE } from './bus-address.ts';
import { BusConnection } from './bus-connection.ts';

/** Seconds that connecting may take. */
const CONNECT_TIME = 4;
/**
 * Seconds for which a bus that did not answer at all is not asked again, so that not every caller waits for it. No caller can
 * bring that about for the others: it takes a bus that answers nobody.
 */
const SILENCE = 5;

export interface SystemBusOptions {
  /** Where it may be, in order. */
  readonly sockets: readonly string[];
  readonly clock: Clock;
}

/** The one connection to the system bus that all attestations share, made when it is needed and again when it broke. */
export class SystemBus {
  readonly #options: SystemBusOptions;
  #connection: Promise<BusConnection> | undefined;
  #open: BusConnection | undefined;
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(options: SystemBusOptions) {
    this.#options = options;
  }

  /** @throws an error that says where the bus was looked for */
  async connection(signal: AbortSignal): Promise<BusConnection> {
    if (this.#open?.isOpen) return this.#open;
    if (this.#options.clock.monotonic() < this.#silentUntil) throw new Error('the system bus answers nobody');
    this.#connection ??= this.#connect().finally(() => {
      this.#connection = undefined;
    });
    return await orAborted(this.#connection, signal);
  }

  close(): void {
    this.#open?.close();
  }

  async #connect(): Promise<BusConnection> {
    const failures: unknown[] = [];
    let silent = false;
    for (const socket of this.#options.sockets) {
      const late = new AbortController();
      const done = new AbortController();
      const tooLate = () => late.abort(new Error(`no answer within ${CONNECT_TIME} s`));
      this.#options.clock.sleep(CONNECT_TIME, done.signal).then(tooLate, () => {});
      try {
        this.#open = await BusConnection.open(socket, late.signal);
        return this.#open;
      } catch (error) {
        failures.push(late.signal.aborted ? late.signal.reason : error);
        silent ||= late.signal.aborted;
      } finally {
        done.abort();
      }
    }
    if (silent) this.#silentUntil = this.#options.clock.monotonic() + SILENCE;
    const where = this.#options.sockets.map((path) => path.replace(/^\0/, '@')).join(', ');
    const why = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ');
    throw new Error(`the system bus (${where}; ${BUS_VARIABLE} names another) cannot be used: ${why}`, {
      cause: failures[0],
    });
  }
}
