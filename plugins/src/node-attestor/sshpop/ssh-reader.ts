/** Bytes are not in the form that SSH gives them (RFC 4251 section 5); the message says what was expected. */
export class SshFormatError extends Error {}

/** Reads the data types of RFC 4251 section 5, strictly and without copying. */
export class SshReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#at;
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.#take(4, what));
  }

  uint64(what: string): bigint {
    return this.#view.getBigUint64(this.#take(8, what));
  }

  /** A `string` of the standard: any bytes. */
  bytes(what: string): Uint8Array {
    const length = this.uint32(what);
    const start = this.#take(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  /** A `string` that is text in UTF-8. */
  text(what: string): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(what));
    } catch (error) {
      if (error instanceof SshFormatError) throw error;
      throw new SshFormatError(`${what} is not UTF-8`);
    }
  }

  /** A positive `mpint` in its only form, without the leading zero. */
  positive(what: string): Uint8Array {
    const bytes = this.bytes(what);
    const [first, second] = bytes;
    if (first === undefined || first >= 0x80) throw new SshFormatError(`${what} is not a positive number`);
    if (first !== 0) return bytes;
    if (second === undefined || second < 0x80) throw new SshFormatError(`${what} has needless zeros`);
    return bytes.subarray(1);
  }

  /** Bytes without a length before them. */
  raw(length: number, what: string): Uint8Array {
    const start = this.#take(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  rest(): Uint8Array {
    return this.raw(this.#bytes.length - this.#at, 'the rest');
  }

  /** @throws {SshFormatError} if something follows */
  finish(what: string): void {
    if (!this.done) throw new SshFormatError(`something follows ${what}`);
  }

  #take(length: number, what: string): number {
    const start = this.#at;
    if (this.#bytes.length - start < length) throw new SshFormatError(`${what} is cut off`);
    this.#at += length;
    return start;
  }
}
