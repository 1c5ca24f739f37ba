/** The one name that matters here, as HPACK spells it: raw, and in its Huffman code. */
const nameRaw = Buffer.from(':authority', 'latin1');
const nameHuffman = Buffer.from('b83b5339ec327d7f', 'hex');
const legal = Buffer.from('localhost', 'latin1');

class Malformed extends Error {}

/**
 * Overwrites the value of every literal `:authority` in an HPACK header block (RFC 7541) with a legal host name of
 * the same encoded length. Lengths and indices stay what they were, so the block needs no re-encoding and the
 * decoder's state stays valid. A malformed block is left as it is from the fault on: the real decoder judges it.
 */
export function repairBlock(block: Uint8Array): void {
  try {
    const reader = new BlockReader(block);
    while (!reader.atEnd) repairField(reader);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
  }
}

function repairField(reader: BlockReader): void {
  const first = reader.peek();
  if (first >= 0x80) {
    reader.integer(7); // indexed field
  } else if (first >= 0x20 && first < 0x40) {
    reader.integer(5); // table size update
  } else {
    const nameIndex = reader.integer(first >= 0x40 ? 6 : 4);
    // Static index 1 is `:authority`; index 0 means that the name follows.
    const isAuthority = nameIndex === 0 ? isAuthorityName(reader.string()) : nameIndex === 1;
    const value = reader.string();
    if (isAuthority) value.overwrite();
  }
}

function isAuthorityName(name: HpackString): boolean {
  return (name.huffman ? nameHuffman : nameRaw).equals(name.bytes);
}

class HpackString {
  readonly bytes: Uint8Array;
  readonly huffman: boolean;
  readonly #head: Uint8Array;

  constructor(head: Uint8Array, bytes: Uint8Array) {
    this.#head = head;
    this.bytes = bytes;
    this.huffman = ((head[0] ?? 0) & 0x80) !== 0;
  }

  /** Any host is this host. An empty value has no bytes to give and stays refused. */
  overwrite(): void {
    this.#head[0] = (this.#head[0] ?? 0) & 0x7f;
    this.bytes.fill(0x2d); // '-'
    this.bytes.set(legal.subarray(0, this.bytes.length));
  }
}

class BlockReader {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get atEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new Malformed();
    return byte;
  }

  #next(): number {
    const byte = this.peek();
    this.#at++;
    return byte;
  }

  /** RFC 7541 section 5.1. */
  integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#next() & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (shift > 21) throw new Malformed(); // more than any length here can be
      const byte = this.#next();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** RFC 7541 section 5.2. */
  string(): HpackString {
    const head = this.#block.subarray(this.#at, this.#at + 1);
    const end = this.integer(7) + this.#at;
    if (end > this.#block.length) throw new Malformed();
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return new HpackString(head, bytes);
  }
}
