/**
 * Holds one value for one reader. A reader that is slow, or never reads, costs one value and never a queue: it finds
 * the newest one when it comes back.
 */
export class LatestSlot<T> {
  #latest: { readonly value: T } | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  set(value: T): void {
    this.#latest = { value };
    this.#wake?.();
  }

  /** Ends the reading after the last value. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** The value not yet taken, or undefined once closed or aborted. One reader at a time. */
  async take(signal: AbortSignal): Promise<T | undefined> {
    while (this.#latest === undefined && !this.#closed && !signal.aborted) await this.#changed(signal);
    if (signal.aborted) return undefined;
    const taken = this.#latest?.value;
    this.#latest = undefined;
    return taken;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
