/** The other end broke the D-Bus protocol; nothing that comes after it can be understood. */
export class GarbledBus extends Error {
  constructor(what: string) {
    super(`the bus sent ${what}`);
    this.name = 'GarbledBus';
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the D-Bus wire format. Positions count from the start of the message, by which values are aligned. */
export class WireReader {
  readonly #view: DataView;
  readonly #little: boolean;
  #at: number;

  constructor(message: Uint8Array, little: boolean, at: number) {
    this.#view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    this.#little = little;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  align(to: number): void {
    this.#at = Math.ceil(this.#at / to) * to;
  }

  byte(): number {
    return this.#view.getUint8(this.#skip(1, 1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4, 4), this.#little);
  }

  /** A string or an object path. @throws {GarbledBus} */
  text(): string {
    return this.#terminated(this.uint32());
  }

  signature(): string {
    return this.#terminated(this.byte());
  }

  /** The value of a variant of the types that stand in headers and answers here. @throws {GarbledBus} for any other */
  variant(): { readonly type: string; readonly value: string | number } {
    const type = this.signature();
    if (type === 's' || type === 'o') return { type, value: this.text() };
    if (type === 'g') return { type, value: this.signature() };
    if (type === 'u') return { type, value: this.uint32() };
    if (type === 'y') return { type, value: this.byte() };
    throw new GarbledBus(`a value of type ${JSON.stringify(type.slice(0, 16))}`);
  }

  #terminated(length: number): string {
    const start = this.#skip(length + 1, 1);
    if (this.#view.getUint8(start + length) !== 0) throw new GarbledBus('a text without its end');
    try {
      const text = utf8.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length));
      if (!text.includes('\0')) return text;
    } catch {
      // Told below.
    }
    throw new GarbledBus('a text that is no UTF-8');
  }

  #skip(bytes: number, alignment: number): number {
    this.align(alignment);
    const start = this.#at;
    if (start + bytes > this.#view.byteLength) throw new GarbledBus('a message that ends in the middle of a value');
    this.#at = start + bytes;
    return start;
  }
}
