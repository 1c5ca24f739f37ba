import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHex, encodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import { errorOf } from '../testing/error-of.ts';
import { DerReader, readSingle } from './reader.ts';
import { TAG } from './tags.ts';
import { readDirectoryText } from './text.ts';
import { encodeTime, readTime } from './time.ts';
import { readBoolean, readNamedBits, readOctetAlignedBits, readOid, readSmallInteger, readUnsigned } from './values.ts';
import { encodeOid, octetString, sequence, smallInteger, tlv, unsignedInteger } from './writer.ts';

const over = (hex: string) => new DerReader(decodeHex(hex));

describe('DerReader', () => {
  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['contents cut short', '3003020101'.slice(0, 8)],
    ['an indefinite length', '30800000'],
    ['an indefinite length with 128 octets behind it', `3080${'00'.repeat(128)}`],
    ['a long form for a short length', '04817f'.padEnd(6 + 254, '00')],
    ['a leading zero in the length', '04820080'.padEnd(8 + 256, '00')],
    ['a length of four octets', '048400000001ff'],
    ['a length of 127 octets', '04ff'],
    ['a length octet missing', '0482ff'],
    ['a length beyond all memory', '0483ffffff'],
    ['a tag number above 30', '1f0100'],
  ])('refuses %s', (_, hex) => {
    expect(errorOf(() => over(hex).next()).code).toBe('malformed-der');
  });

  it('does not let a child reach beyond its parent', () => {
    const child = over('3003020501ffffffff').next().reader();
    expect(errorOf(() => child.next()).code).toBe('malformed-der');
  });

  it('stops at a depth no certificate has', () => {
    let nested: Uint8Array = new Uint8Array();
    for (let level = 0; level < 100; level++) nested = sequence(nested);
    const descend = () => {
      let reader = new DerReader(nested);
      while (!reader.done) reader = reader.expect(TAG.sequence).reader();
    };
    expect(errorOf(descend).message).toContain('too deeply');
  });

  it('wants the expected tag, and nothing behind the last element', () => {
    expect(errorOf(() => over('020100').expect(TAG.sequence)).code).toBe('malformed-der');
    expect(errorOf(() => readSingle(decodeHex('020100ff'), TAG.integer)).code).toBe('malformed-der');
    expect(over('020100').optional(TAG.sequence)).toBeUndefined();
  });

  it('reads what the writer writes, at every size of length', () => {
    const sizes = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 70_000));
    fc.assert(
      fc.property(sizes, (size) => {
        const element = readSingle(octetString(new Uint8Array(size).fill(7)), TAG.octetString);
        expect(element.length).toBe(size);
      }),
    );
    expect(() => tlv(4, new Uint8Array(0x1000000))).toThrow(RangeError);
  });

  it('survives any bytes with a SpiffeError at most', () => {
    const walk = (reader: DerReader): void => {
      while (!reader.done) {
        const element = reader.next();
        if ((element.tag & 0x20) !== 0) walk(element.reader());
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          walk(new DerReader(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(SpiffeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('values', () => {
  it.each(['0200', '02020001', '0202007f', '0202ff80', '020180'])('refuses %s as an unsigned integer', (hex) => {
    expect(errorOf(() => readUnsigned(over(hex))).code).toBe('malformed-der');
  });
  it.each([
    ['020100', '00'],
    ['02020080', '80'],
    ['0203010000', '010000'],
  ])('reads %s as %s', (hex, magnitude) => {
    expect(encodeHex(readUnsigned(over(hex)))).toBe(magnitude);
  });
  it('brings integers back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), (value) => {
        const hex = value.toString(16);
        const bytes = decodeHex(hex.length % 2 === 0 ? hex : `0${hex}`);
        const written = unsignedInteger(Uint8Array.of(0, 0, ...bytes));
        expect(BigInt(`0x${encodeHex(readUnsigned(new DerReader(written)))}`)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.nat(), (value) => {
        expect(readSmallInteger(readSingle(smallInteger(value), TAG.integer))).toBe(value);
      }),
    );
  });
  it.each(['02050100000000', '0204ffffffff', '020180'])('refuses %s as a small integer', (hex) => {
    expect(errorOf(() => readSmallInteger(over(hex).next())).code).toBe('malformed-der');
  });
  it.each(['010101', '0101fe', '0100', '0102ffff'])('refuses %s as a boolean', (hex) => {
    expect(errorOf(() => readBoolean(over(hex).next())).code).toBe('malformed-der');
  });
  it.each(['0300', '030101', '03020780'])('refuses %s as bits of whole octets', (hex) => {
    expect(errorOf(() => readOctetAlignedBits(over(hex))).code).toBe('malformed-der');
  });
  it.each(['0300', '030107', '03020880', '03020781'])('refuses %s as named bits', (hex) => {
    expect(errorOf(() => readNamedBits(over(hex).next())).code).toBe('malformed-der');
  });
  it.each(['0600', '06028001', '06022a80', '060a2affffffffffffffff7f'])('refuses %s as an object identifier', (hex) => {
    expect(errorOf(() => readOid(over(hex).next())).code).toBe('malformed-der');
  });
  it.each(['2.5.29.17', '1.2.840.113549.1.1.11', '0.9.2342', '1.3.6.1.4.1.65980', '2.999.3'])(
    'brings %s back',
    (oid) => {
      expect(readOid(readSingle(encodeOid(oid), TAG.oid))).toBe(oid);
    },
  );
});

describe('time', () => {
  it.each([
    ['2049-12-31T23:59:59Z', TAG.utcTime, '491231235959Z'],
    ['2050-01-01T00:00:00Z', TAG.generalizedTime, '20500101000000Z'],
    ['1950-01-01T00:00:00Z', TAG.utcTime, '500101000000Z'],
    ['2000-02-29T12:34:56Z', TAG.utcTime, '000229123456Z'],
    ['9999-12-31T23:59:59Z', TAG.generalizedTime, '99991231235959Z'],
  ])('writes and reads %s', (iso, tag, text) => {
    const seconds = Date.parse(iso) / 1000;
    const element = encodeTime(seconds);
    expect([element[0], new TextDecoder().decode(element.subarray(2))]).toEqual([tag, text]);
    expect(readTime(new DerReader(element))).toBe(seconds);
    expect(encodeTime(seconds + 0.999)).toEqual(element);
  });
  it.each(['1949-12-31T23:59:59Z', '+010000-01-01T00:00:00Z'])('cannot write %s', (iso) => {
    expect(() => encodeTime(Date.parse(iso) / 1000)).toThrow(RangeError);
  });
  it('cannot write what is no number', () => {
    expect(() => encodeTime(Number.NaN)).toThrow(RangeError);
  });
  it.each([
    '010230000000Z',
    '010229000000Z',
    '011301000000Z',
    '010001000000Z',
    '010100000000Z',
    '010101240000Z',
    '010101006000Z',
    '010101000060Z',
    '0101010000Z',
    '010101000000+0000',
    '010101000000',
    '0101010000 0Z',
    '010101000000z',
  ])('refuses the UTCTime %s', (text) => {
    const element = tlv(TAG.utcTime, new TextEncoder().encode(text));
    expect(errorOf(() => readTime(new DerReader(element))).code).toBe('malformed-der');
  });
  it.each(['20010101000000.5Z', '200101010000Z', '20010101000000'])('refuses the GeneralizedTime %s', (text) => {
    const element = tlv(TAG.generalizedTime, new TextEncoder().encode(text));
    expect(errorOf(() => readTime(new DerReader(element))).code).toBe('malformed-der');
  });
  it('brings every second back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -631152000, max: 253402300799 }), (seconds) => {
        expect(readTime(new DerReader(encodeTime(seconds)))).toBe(seconds);
      }),
    );
  });
});

describe('directory text', () => {
  it.each([
    ['UTF-8', '0c02c3a9', 'é'],
    ['broken UTF-8', '0c01c3', undefined],
    ['BMP', '1e0400e90041', 'éA'],
    ['an odd number of octets as BMP', '1e0100', undefined],
    ['printable', '13024142', 'AB'],
    ['printable beyond ASCII', '1301e9', undefined],
    ['a number', '020101', undefined],
  ])('%s', (_, hex, text) => {
    expect(readDirectoryText(over(hex).next())).toBe(text);
  });
});

describe('object identifiers read before', () => {
  const read = (bytes: Uint8Array) => readOid(readSingle(bytes, TAG.oid));
  it('are told apart, and do not change with the bytes they were read from', () => {
    const texts = Array.from({ length: 500 }, (_, index) => `1.3.6.1.${index * 7919}.${index % 3}`);
    for (let round = 0; round < 2; round++) {
      for (const text of texts) {
        const bytes = encodeOid(text);
        expect(read(bytes)).toBe(text);
        bytes.fill(1, 2);
      }
    }
  });

  it('do not pass for another with the same sum', () => {
    // 31 · 1 + 31 and 31 · 2 + 0: the same sum over the octets.
    const [a, b] = [Uint8Array.of(TAG.oid, 2, 0x2b, 0x1f), Uint8Array.of(TAG.oid, 2, 0x2c, 0x00)];
    expect([read(a), read(b), read(a)]).toEqual(['1.3.31', '1.4.0', '1.3.31']);
  });
});
