import { Code, GrpcError } from '@steeple/proto/grpc';

/** Lets a limited number of callers in, in the order they came; turns away those for whom not even waiting room is left. */
export class Admission {
  readonly #limits: { readonly running: number; readonly waiting: number };
  readonly #queue = new Set<() => void>();
  #running = 0;

  constructor(limits: { readonly running: number; readonly waiting: number }) {
    this.#limits = limits;
  }

  /** Whether the next one has to wait. */
  get isFull(): boolean {
    return this.#running >= this.#limits.running;
  }

  /** Resolves with the function that makes room again. @throws GrpcError `UNAVAILABLE`; the signal's reason */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.isFull) await this.#wait(signal);
    else this.#running++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  /** The place of whoever leaves passes to the next in line. */
  #leave(): void {
    const [next] = this.#queue;
    if (next === undefined) {
      this.#running--;
    } else {
      this.#queue.delete(next);
      next();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#queue.size >= this.#limits.waiting) {
      throw GrpcError.of(Code.UNAVAILABLE, 'too many callers at the same time');
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queue.delete(admitted);
        reject(signal.reason as Error);
      };
      const admitted = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#queue.add(admitted);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
