/** What can be sent as an argument: an unsigned number, a text, or the index of a descriptor sent beside the message. */
export type Argument = { readonly u: number } | { readonly s: string } | { readonly h: number };

/** The D-Bus wire format, little-endian: every value begins at a multiple of its own size. */
export class WireWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }

  byte(value: number): this {
    this.#bytes.push(value);
    return this;
  }

  uint32(value: number): this {
    this.align(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push((value >>> shift) & 0xff);
    return this;
  }

  /** A string or an object path. */
  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    return this.uint32(bytes.byteLength).raw(bytes).byte(0);
  }

  signature(value: string): this {
    return this.byte(value.length).raw(Buffer.from(value, 'latin1')).byte(0);
  }

  argument(argument: Argument): this {
    if ('s' in argument) return this.text(argument.s);
    return this.uint32('u' in argument ? argument.u : argument.h);
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  take(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
