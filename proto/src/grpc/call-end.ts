import { Code } from './code.ts';
import { GrpcError } from './status.ts';

/** What is told of a call that was over already. Each call's connection ends once, and the stack of an error is dear. */
const OVER = GrpcError.of(Code.CANCELLED, 'the call is over');

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
  readonly #waiting = new Set<(reason: GrpcError) => void>();
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
    this.#reasonOf = this.#over ? () => OVER : reasonOf;
    for (const wake of this.#waiting) wake(this.reason as GrpcError);
    this.#controller?.abort(this.reason);
  }

  /** The answer has been decided. */
  finish(): void {
    this.#over = true;
  }

  /**
   * The promise's outcome, or a rejection with the reason as soon as the call is ended. Once the promise has settled
   * nothing of it is left here, so that a call may wait as often as it likes.
   */
  orEnded<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      promise.then(
        (value) => {
          this.#waiting.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(reject);
          reject(error as Error);
        },
      );
      if (this.#reasonOf !== undefined) reject(this.reason as Error);
    });
  }
}
