import { equalBytes } from '../encoding/bytes.ts';
import { type DerElement, type DerReader, malformed } from './reader.ts';
import { TAG } from './tags.ts';

/** Components of object identifiers above this are in no use and would lose precision. */
const MAX_OID_COMPONENT = 2 ** 40;

/** Contents of an INTEGER in its shortest form, sign octet included. */
function readInteger(reader: DerReader): Uint8Array {
  const { contents } = reader.expect(TAG.integer);
  requireShortest(contents);
  return contents;
}

/** Magnitude of an INTEGER that must not be negative, without a sign octet; zero is one octet 00. */
export function readUnsigned(reader: DerReader): Uint8Array {
  const contents = readInteger(reader);
  const [first = 0] = contents;
  if (first >= 0x80) throw malformed('negative integer');
  return first === 0 && contents.length > 1 ? contents.subarray(1) : contents;
}

/** A non-negative INTEGER of at most four octets, whatever its tag. */
export function readSmallInteger(element: DerElement): number {
  const { contents } = element;
  requireShortest(contents);
  if (contents.length > 4 || (contents[0] ?? 0) >= 0x80) throw malformed('integer out of range');
  return contents.reduce((value, octet) => value * 256 + octet, 0);
}

/** DER knows two booleans only: 00 and FF. */
export function readBoolean(element: DerElement): boolean {
  const [octet] = element.contents;
  if (element.length !== 1 || (octet !== 0 && octet !== 0xff)) throw malformed('boolean is neither 00 nor FF');
  return octet === 0xff;
}

/** Bits of a BIT STRING whose number is a multiple of eight, as keys and signatures are. */
export function readOctetAlignedBits(reader: DerReader): Uint8Array {
  const { contents } = reader.expect(TAG.bitString);
  if (contents[0] !== 0) throw malformed('bit string is not a whole number of octets');
  return contents.subarray(1);
}

/** Tests for bit `n` of a BIT STRING of named bits; bits beyond its end are clear. */
export function readNamedBits(element: DerElement): (bit: number) => boolean {
  const { contents } = element;
  const [unused] = contents;
  if (unused === undefined || unused > 7 || (unused > 0 && contents.length === 1)) {
    throw malformed('bit string without its count of unused bits');
  }
  if (((contents.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0 && contents.length > 1) {
    throw malformed('unused bits of a bit string are set');
  }
  return (bit) => ((contents[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}

/**
 * Identifiers read before, by a sum over their octets: a certificate names a dozen, always the same, and spelling one out
 * costs five times as much as finding it. Holds the first that came, hostile ones included, and then no more.
 */
const known = new Map<number, { readonly contents: Uint8Array; readonly text: string }>();
const MAX_KNOWN = 64;

/** Dotted form of an OBJECT IDENTIFIER. */
export function readOid(element: DerElement): string {
  const { contents } = element;
  let sum = contents.length;
  for (let index = 0; index < contents.length; index++) sum = (Math.imul(sum, 31) + (contents[index] ?? 0)) | 0;
  const before = known.get(sum);
  if (before !== undefined && equalBytes(before.contents, contents)) return before.text;
  const text = spellOid(contents);
  if (before === undefined && known.size < MAX_KNOWN) known.set(sum, { contents: new Uint8Array(contents), text });
  return text;
}

function spellOid(contents: Uint8Array): string {
  if (contents.length === 0 || (contents.at(-1) ?? 0) >= 0x80) throw malformed('object identifier is cut short');
  const components: number[] = [];
  let component = 0;
  let fresh = true;
  for (const octet of contents) {
    if (fresh && octet === 0x80) throw malformed('object identifier is not in its shortest form');
    component = component * 128 + (octet & 0x7f);
    if (component > MAX_OID_COMPONENT) throw malformed('component of an object identifier is too large');
    fresh = octet < 0x80;
    if (!fresh) continue;
    if (components.length === 0) {
      const root = Math.min(Math.floor(component / 40), 2);
      components.push(root, component - root * 40);
    } else {
      components.push(component);
    }
    component = 0;
  }
  return components.join('.');
}

function requireShortest(contents: Uint8Array): void {
  const [first, second = 0] = contents;
  if (first === undefined) throw malformed('integer without contents');
  if (contents.length === 1) return;
  const signBit = second & 0x80;
  if ((first === 0 && signBit === 0) || (first === 0xff && signBit !== 0)) {
    throw malformed('integer is not in its shortest form');
  }
}
