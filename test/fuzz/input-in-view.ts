/** Longest input that is shown whole. */
const LONGEST = 2 ** 20;
const [COUNT, LENGTH, HEADER_BYTES] = [0, 1, 8];

/** The input that a thread is reading, in memory that another thread sees. */
export class InputInView {
  static readonly bytes = HEADER_BYTES + LONGEST;
  readonly #header: Int32Array;
  readonly #input: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#header = new Int32Array(buffer, 0, 2);
    this.#input = new Uint8Array(buffer, HEADER_BYTES);
  }

  show(input: Uint8Array): void {
    const shown = input.subarray(0, LONGEST);
    this.#input.set(shown);
    this.#header[LENGTH] = shown.length;
    Atomics.add(this.#header, COUNT, 1);
  }

  /** Inputs shown so far. */
  get count(): number {
    return Atomics.load(this.#header, COUNT);
  }

  get current(): Uint8Array {
    return this.#input.slice(0, this.#header[LENGTH]);
  }
}
