/** Values kept at most; then it begins anew. */
const LIMIT = 10_000;

/**
 * Values made from texts, one per text: what many rows have in common, such as a parent, then stands in memory once. The
 * values must not be changeable.
 */
export class Remembered<T> {
  readonly #make: (text: string) => T;
  readonly #limit: number;
  readonly #values = new Map<string, T>();

  constructor(make: (text: string) => T, limit = LIMIT) {
    this.#make = make;
    this.#limit = limit;
  }

  get(text: string): T {
    const known = this.#values.get(text);
    if (known !== undefined) return known;
    const value = this.#make(text);
    if (this.#values.size >= this.#limit) this.#values.clear();
    this.#values.set(text, value);
    return value;
  }
}
