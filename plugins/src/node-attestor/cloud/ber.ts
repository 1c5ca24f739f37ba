import { IssuerError } from '@steeple/core';

/** Far deeper than any signed document; a limit on hostile nesting. */
const MAX_DEPTH = 24;
/** Elements of a signed document with a few certificates: some hundreds. */
const MAX_ELEMENTS = 4000;
const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04;

/** One element of BER (X.690 section 8), as the DER it would be in. */
export interface BerElement {
  readonly tag: number;
  /** Of a constructed element; none for a primitive one. */
  readonly children: readonly BerElement[];
  readonly contents: Uint8Array;
  /** Identifier, definite length and contents. */
  readonly der: Uint8Array;
}

/**
 * Reads one element that the bytes consist of. Cloud providers write BER: indefinite lengths, and octet strings in pieces,
 * which come out whole.
 *
 * @throws {IssuerError} `invalid-argument`
 */
export function readBer(bytes: Uint8Array): BerElement {
  const reader = new BerReader(bytes);
  const element = reader.element(bytes.length, 0);
  if (reader.position !== bytes.length) throw malformed('bytes after its end');
  return element;
}

/** An element of this tag with these contents. */
export function encodeElement(tag: number, contents: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(contents.length), contents]);
}

class BerReader {
  readonly #bytes: Uint8Array;
  position = 0;
  #elements = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  element(end: number, depth: number): BerElement {
    if (depth > MAX_DEPTH || ++this.#elements > MAX_ELEMENTS) throw malformed('nested too deeply, or too much');
    const start = this.position;
    const tag = this.#octet(end);
    if ((tag & 0x1f) === 0x1f) throw malformed('a tag number above 30');
    const length = this.#length(end);
    if (length === undefined && (tag & CONSTRUCTED) === 0) throw malformed('a primitive element without a length');
    const stop = length === undefined ? end : this.position + length;
    if (stop > end) throw malformed('an element longer than what holds it');
    if ((tag & CONSTRUCTED) === 0) {
      const contents = this.#bytes.subarray(this.position, stop);
      this.position = stop;
      return { tag, children: [], contents, der: encodeElement(tag, contents) };
    }
    const children = this.#children(stop, length === undefined, depth + 1);
    if (tag === (OCTET_STRING | CONSTRUCTED)) return whole(children);
    const contents = Buffer.concat(children.map(({ der }) => der));
    // What was DER stays the very bytes that were signed.
    const asRead = this.#bytes.subarray(start, this.position);
    const der = encodeElement(tag, contents);
    return { tag, children, contents, der: Buffer.compare(der, asRead) === 0 ? asRead : der };
  }

  #children(stop: number, indefinite: boolean, depth: number): readonly BerElement[] {
    const children: BerElement[] = [];
    while (indefinite ? !this.#endOfContents(stop) : this.position < stop) children.push(this.element(stop, depth));
    return children;
  }

  #endOfContents(stop: number): boolean {
    if (this.position + 2 > stop) throw malformed('it is cut short');
    if (this.#bytes[this.position] !== 0 || this.#bytes[this.position + 1] !== 0) return false;
    this.position += 2;
    return true;
  }

  /** Undefined for the indefinite form. */
  #length(end: number): number | undefined {
    const first = this.#octet(end);
    if (first < 0x80) return first;
    if (first === 0x80) return undefined;
    const octets = first & 0x7f;
    if (octets > 3) throw malformed('a length of more than three octets');
    let length = 0;
    for (let index = 0; index < octets; index++) length = (length << 8) | this.#octet(end);
    return length;
  }

  #octet(end: number): number {
    const octet = this.#bytes[this.position];
    if (octet === undefined || this.position >= end) throw malformed('it is cut short');
    this.position += 1;
    return octet;
  }
}

function whole(pieces: readonly BerElement[]): BerElement {
  if (pieces.some(({ tag }) => tag !== OCTET_STRING)) throw malformed('an octet string of other pieces');
  const contents = Buffer.concat(pieces.map((piece) => piece.contents));
  return { tag: OCTET_STRING, children: [], contents, der: encodeElement(OCTET_STRING, contents) };
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  if (length < 0x100) return Uint8Array.of(0x81, length);
  if (length < 0x10000) return Uint8Array.of(0x82, length >> 8, length & 0xff);
  return Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
}

export function malformed(what: string): IssuerError {
  return new IssuerError('invalid-argument', `the signed document is malformed: ${what}`);
}
