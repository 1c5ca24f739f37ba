/** SPIRE servers refuse longer batches. */
const MAX_BATCH = 500;

/** How many SVIDs to ask for at once: halves when a whole batch fails, and grows back with each success. */
export class BatchSize {
  #size = MAX_BATCH;

  get value(): number {
    return this.#size;
  }

  succeeded(): void {
    this.#size = Math.min(MAX_BATCH, this.#size * 2);
  }

  failed(): void {
    this.#size = Math.max(1, Math.floor(this.#size / 2));
  }
}
