/** Longest first message that is looked into; more than any client sends (RFC 8446 section 5.1 allows 16384 per record). */
const LONGEST = 16_384 + 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const ALPN = 16;

/**
 * The application protocols that a TLS client offers, read from the first bytes of its connection; `incomplete` until the
 * whole ClientHello is there, empty for everything else. Anything malformed is left to TLS itself to refuse.
 */
export const helloProtocols = (bytes: Buffer): readonly string[] | 'incomplete' => {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return [];
  if (bytes.length < 5) return 'incomplete';
  const end = 5 + bytes.readUInt16BE(3);
  if (end > LONGEST) return [];
  if (bytes.length < end) return 'incomplete';
  try {
    return protocolsOf(new Reader(bytes.subarray(5, end)));
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
};

const protocolsOf = (hello: Reader): readonly string[] => {
  if (hello.number(1) !== CLIENT_HELLO) return [];
  hello.skip(3 + 2 + 32);
  for (const lengthBytes of [1, 2, 1]) hello.skip(hello.number(lengthBytes));
  const extensions = hello.part(hello.number(2));
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const body = extensions.part(extensions.number(2));
    if (type === ALPN) return namesOf(body.part(body.number(2)));
  }
  return [];
};

const namesOf = (list: Reader): string[] => {
  const names: string[] = [];
  while (list.left > 0) names.push(list.text(list.number(1)));
  return names;
};

/** Reads forward and throws a RangeError at the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(length: number): number {
    const value = this.#bytes.readUIntBE(this.#at, length);
    this.#at += length;
    return value;
  }

  skip(length: number): void {
    if (length > this.left) throw new RangeError('too short');
    this.#at += length;
  }

  part(length: number): Reader {
    const start = this.#at;
    this.skip(length);
    return new Reader(this.#bytes.subarray(start, start + length));
  }

  text(length: number): string {
    const start = this.#at;
    this.skip(length);
    return this.#bytes.toString('latin1', start, start + length);
  }
}
