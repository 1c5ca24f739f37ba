import type { GrpcError } from './status.ts';

/**
 * The early end of a call: its caller has gone, its deadline has passed, or the server stops.
 *
 * The signal and the reason are made only when somebody asks for them. Nearly every call ends by itself, and for those
 * the signal, its listeners and the stack of the reason took 25 of some 400 µs.
 */
export class CallEnd {
  #reasonOf: (() => GrpcError) | undefined;
  #reason: GrpcError | undefined;
  #controller: AbortController | undefined;
  readonly #waiting: ((reason: GrpcError) => void)[] = [];
  #over = false;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.reason !== undefined) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  /** Why the call was ended; undefined while it may go on. */
  get reason(): GrpcError | undefined {
    this.#reason ??= this.#reasonOf?.();
    return this.#reason;
  }

  /** Ends the call; only the first end counts. After the call is over it only tells who holds the signal. */
  end(reasonOf: () => GrpcError): void {
    if (this.#reasonOf !== undefined) return;
    this.#reasonOf = reasonOf;
    if (!this.#over) for (const wake of this.#waiting) wake(this.reason as GrpcError);
    this.#controller?.abort(this.reason);
  }

  /** The answer has been decided: nothing waits any more. */
  finish(): void {
    this.#over = true;
  }

  /** The promise's outcome, or a rejection with the reason as soon as the call is ended. */
  orEnded<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(reject);
      promise.then(resolve, reject);
      if (this.#reasonOf !== undefined) reject(this.reason as Error);
    });
  }
}
