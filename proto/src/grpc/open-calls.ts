import { Code } from './code.ts';
import { retryInfo } from './retry-info.ts';
import { GrpcError } from './status.ts';

/** A running call as the shutdown sees it. */
export interface OpenCall {
  readonly streaming: boolean;
  /** Aborts the call; this error becomes its status. */
  end(error: GrpcError): void;
}

/** Seconds after which a caller may try again that found no room. */
const FULL_PAUSE = 5;

const going = 'the server is shutting down';

/**
 * All running calls of one server, so that it can end them.
 * Streams end with UNAVAILABLE at once: client libraries stop for good on OK or CANCELLED and retry on UNAVAILABLE.
 */
export class OpenCalls {
  readonly #calls = new Set<OpenCall>();
  readonly #most: number;
  #draining = false;

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Admits a call; the returned function forgets it. Throws UNAVAILABLE while draining, and when there are too many. */
  add(call: OpenCall): () => void {
    if (this.#draining) throw GrpcError.of(Code.UNAVAILABLE, going);
    if (this.#calls.size >= this.#most) {
      throw GrpcError.of(Code.UNAVAILABLE, 'too many calls are open at the same time', retryInfo(FULL_PAUSE));
    }
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Refuses new calls and ends streams; unary calls may finish. */
  drain(): void {
    this.#draining = true;
    for (const call of this.#calls) if (call.streaming) call.end(GrpcError.of(Code.UNAVAILABLE, going));
  }

  /** Ends what is still running. */
  stop(): void {
    this.#draining = true;
    for (const call of this.#calls) call.end(GrpcError.of(Code.UNAVAILABLE, going));
  }
}
