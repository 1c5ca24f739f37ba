import { SpiffeError } from '../errors.ts';

/** Deeper than any certificate; a limit on hostile nesting. */
const MAX_DEPTH = 32;
/** Bit of the tag: the contents are elements. */
const CONSTRUCTED = 0x20;
/** Three octets of length: no document here comes near 16 MiB. */
const MAX_LENGTH_OCTETS = 3;

/** One element, as a window into the bytes it was read from. */
export class DerElement {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  readonly depth: number;

  constructor(tag: number, bytes: Uint8Array, start: number, contentStart: number, end: number, depth: number) {
    this.tag = tag;
    this.bytes = bytes;
    this.start = start;
    this.contentStart = contentStart;
    this.end = end;
    this.depth = depth;
  }

  get length(): number {
    return this.end - this.contentStart;
  }

  /** Identifier, length and contents. A view, not a copy. */
  get raw(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** A view, not a copy. */
  get contents(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.end);
  }

  /** @throws SpiffeError `malformed-der` when nested too deeply */
  reader(): DerReader {
    return new DerReader(this.bytes, this.contentStart, this.end, this.depth + 1);
  }
}

/**
 * A cursor over DER (X.690 section 10): definite lengths in their shortest form and nothing outside its window. Every
 * method throws SpiffeError `malformed-der` for input that breaks this.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #depth: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, depth = 0) {
    if (depth > MAX_DEPTH) throw malformed('nested too deeply');
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#depth = depth;
  }

  get done(): boolean {
    return this.#position === this.#end;
  }

  /** Whether the next element has this tag; false at the end. */
  at(tag: number): boolean {
    return this.#position < this.#end && this.#bytes[this.#position] === tag;
  }

  next(): DerElement {
    const start = this.#position;
    if (this.#end - start < 2) throw malformed('element is cut short');
    const tag = this.#bytes[start] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw malformed('tag number above 30');

    const first = this.#bytes[start + 1] ?? 0;
    const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthOctets === 0 ? first : this.#longLength(start + 2, lengthOctets);
    const contentStart = start + 2 + lengthOctets;
    if (first === 0x80) throw malformed('indefinite length');
    if (length > this.#end - contentStart) throw malformed('element is longer than what holds it');

    this.#position = contentStart + length;
    return new DerElement(tag, this.#bytes, start, contentStart, this.#position, this.#depth);
  }

  expect(tag: number): DerElement {
    if (!this.at(tag)) throw malformed(`expected an element with tag ${tag}`);
    return this.next();
  }

  optional(tag: number): DerElement | undefined {
    return this.at(tag) ? this.next() : undefined;
  }

  /** Passes over all that is left, which must be DER, elements inside elements too. */
  skipAll(): void {
    while (!this.done) {
      const element = this.next();
      if ((element.tag & CONSTRUCTED) !== 0) element.reader().skipAll();
    }
  }

  /** Nothing may follow. */
  finish(): void {
    if (!this.done) throw malformed('unexpected bytes after the last element');
  }

  #longLength(position: number, octets: number): number {
    if (octets > MAX_LENGTH_OCTETS) throw malformed('length is too large');
    if (position + octets > this.#end) throw malformed('length is cut short');
    let length = 0;
    for (let index = 0; index < octets; index++) length = (length << 8) | (this.#bytes[position + index] ?? 0);
    const smallest = octets === 1 ? 0x80 : 1 << (8 * (octets - 1));
    if (length < smallest) throw malformed('length is not in its shortest form');
    return length;
  }
}

/**
 * The one element a byte string consists of.
 *
 * @throws SpiffeError `malformed-der`
 */
export function readSingle(bytes: Uint8Array, tag: number): DerElement {
  const reader = new DerReader(bytes);
  const element = reader.expect(tag);
  reader.finish();
  return element;
}

export function malformed(message: string): SpiffeError {
  return new SpiffeError('malformed-der', `malformed DER: ${message}`);
}
