import { describe, expect, it } from 'vitest';
import { authority, coded, field, integer, text } from './hpack.fixture.ts';
import { repairBlock } from './repair-block.ts';

function repaired(...parts: Uint8Array[]): Buffer {
  const block = Buffer.concat(parts);
  repairBlock(block);
  return block;
}
const literal = (head: number, ...strings: Buffer[]): Buffer => Buffer.concat([Buffer.from([head]), ...strings]);
/** `:authority` in Huffman code, from the table of RFC 7541 appendix B. */
const codedName = coded('b83b5339ec327d7f');

describe('repairBlock', () => {
  it.each([0x41, 0x01, 0x11])('replaces the value of the static name, literal form %i', (head) => {
    expect(repaired(literal(head, text('/tmp/x.sock')))).toEqual(literal(head, text('localhost--')));
  });

  it.each([0x40, 0x00, 0x10])('replaces the value of the spelled name, raw or coded, literal form %i', (head) => {
    expect(repaired(literal(head, text(':authority'), text('/a')))).toEqual(
      literal(head, text(':authority'), text('lo')),
    );
    expect(repaired(literal(head, codedName, coded('6102ff')))).toEqual(literal(head, codedName, text('loc')));
  });

  it('keeps every length, also a long one', () => {
    const path = `/${'a'.repeat(300)}`;
    expect(repaired(authority(path))).toEqual(authority(`localhost${'-'.repeat(292)}`));
    expect(repaired(authority(''))).toEqual(authority(''));
  });

  it('leaves all other fields as they are', () => {
    const others = [
      Buffer.from([0x82, 0xbe]), // indexed, static and dynamic
      integer(4096, 5, 0x20), // table size update
      integer(1000, 7, 0x80), // long index
      field(':path', '/tmp/x'),
      field('authority', '/tmp/x'),
      field(':authority2', '/tmp/x'),
      literal(0x44, text('/a/b')), // `:path` by index
      literal(0x0f, integer(0, 4, 0).subarray(0, 0), Buffer.from([0x10]), text('/v')), // index 31
    ];
    expect(repaired(...others)).toEqual(Buffer.concat(others));
    expect(repaired(...others, authority('/x'), ...others)).toEqual(
      Buffer.concat([...others, authority('lo'), ...others]),
    );
  });

  it('repairs what comes before a fault and leaves the rest', () => {
    const faults = [
      [0x41],
      [0x41, 0x05, 0x61],
      [0x41, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x40, 0x85, 0x61],
      [0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
      [0xff],
    ];
    for (const fault of faults) {
      const bad = Buffer.from(fault);
      expect(repaired(authority('/x'), bad)).toEqual(Buffer.concat([authority('lo'), bad]));
    }
  });

  it('survives any bytes and never changes their number', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48271) % 0x7fffffff) & 0xff;
    for (let round = 0; round < 2000; round++) {
      const block = Uint8Array.from({ length: random() }, random);
      expect(() => repairBlock(block)).not.toThrow();
    }
  });
});
