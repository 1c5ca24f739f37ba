import { orAborted } from '@steeple/proto/grpc';

type Item<T> = { readonly message: T } | { readonly error: Error };

/** A stream that many callers follow: each gets the present state, then everything published later, in order. */
export class Topic<T> {
  #present: Item<T> | undefined;
  readonly #followers = new Set<(item: Item<T>) => void>();

  /** New state; open streams are sent it. */
  publish(message: T): void {
    this.#present = { message };
    this.#send(this.#present);
  }

  /** Ends open streams with the error, and every new one until something is published. */
  fail(error: Error): void {
    this.#present = { error };
    this.#send(this.#present);
  }

  /** Ends open streams with the error; new ones go on with the present state. */
  interrupt(error: Error): void {
    this.#send({ error });
  }

  /** How many streams are open. */
  get followers(): number {
    return this.#followers.size;
  }

  /** What a stream handler yields. */
  async *follow(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const queue: Item<T>[] = this.#present === undefined ? [] : [this.#present];
    let wake = () => {};
    const follower = (item: Item<T>) => {
      queue.push(item);
      wake();
    };
    this.#followers.add(follower);
    try {
      for (;;) {
        const next = queue.shift();
        if (next === undefined) {
          await orAborted(new Promise<void>((resolve) => (wake = resolve)), signal);
        } else if ('error' in next) {
          throw next.error;
        } else {
          yield next.message;
        }
      }
    } finally {
      this.#followers.delete(follower);
    }
  }

  #send(item: Item<T>): void {
    for (const follower of this.#followers) follower(item);
  }
}
