/**
 * Runs asynchronous work one piece at a time, in the order it was handed in. A failure reaches its own caller only.
 * Writers that must keep a store and its in-memory picture in the same order share one of these.
 */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
