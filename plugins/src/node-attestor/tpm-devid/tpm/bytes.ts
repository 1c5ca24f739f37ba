/** Bytes that are no TPM structure; the message says which part. */
export class TpmFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TpmFormatError';
  }
}

/** Reads the big-endian structures of the TPM 2.0 library (part 2), never beyond what it was given. */
export class TpmReader {
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

  u8(what: string): number {
    return this.#view.getUint8(this.#advance(1, what));
  }

  u16(what: string): number {
    return this.#view.getUint16(this.#advance(2, what));
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#advance(4, what));
  }

  bytes(length: number, what: string): Uint8Array {
    const start = this.#advance(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  /** A TPM2B: its size in two bytes, then that many. */
  sized(what: string): Uint8Array {
    return this.bytes(this.u16(what), what);
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at, 'rest');
  }

  /** @throws {TpmFormatError} if something follows */
  finish(what: string): void {
    if (!this.done) throw new TpmFormatError(`${this.#bytes.length - this.#at} bytes follow the ${what}`);
  }

  #advance(length: number, what: string): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new TpmFormatError(`the ${what} is cut off`);
    this.#at += length;
    return start;
  }
}

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function u16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A TPM2B of these bytes. */
export function sized(...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([u16(content.length), content]);
}
