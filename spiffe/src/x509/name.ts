import { type DerElement, type DerReader, malformed } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { encodeDirectoryText, readDirectoryText } from '../der/text.ts';
import { readOid } from '../der/values.ts';
import { encodeOid, sequence, setOfOne } from '../der/writer.ts';
import { encodeHex } from '../encoding/hex.ts';
import { OID } from './oids.ts';

/** The parts of a distinguished name that we write, in the order in which they are written. */
export interface NameAttributes {
  readonly country?: readonly string[];
  readonly organization?: readonly string[];
  readonly organizationalUnit?: readonly string[];
  readonly commonName?: string;
  readonly serialNumber?: string;
}

/** One attribute of a name, its value still in DER. */
export interface NameAttribute {
  readonly type: string;
  readonly value: DerElement;
}

/** UTF8String, and the kinds with one, two or four octets a character. */
const TEXT_TAGS: ReadonlySet<number> = new Set([
  TAG.utf8String,
  TAG.numericString,
  TAG.printableString,
  TAG.t61String,
  TAG.ia5String,
  TAG.universalString,
  TAG.bmpString,
]);

const UNICODE_TAGS: ReadonlySet<number> = new Set([TAG.utf8String, TAG.universalString, TAG.bmpString]);

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.commonName, 'CN'],
  [OID.serialNumber, 'serialNumber'],
  [OID.country, 'C'],
  [OID.locality, 'L'],
  [OID.province, 'ST'],
  [OID.organization, 'O'],
  [OID.organizationalUnit, 'OU'],
]);

/** A DER Name (RFC 5280 section 4.1.2.4), one attribute to each relative name. No attributes give the empty name. */
export function encodeName(attributes: NameAttributes): Uint8Array {
  const { country = [], organization = [], organizationalUnit = [], commonName, serialNumber } = attributes;
  return sequence(
    ...country.map((text) => relativeName(OID.country, text)),
    ...organization.map((text) => relativeName(OID.organization, text)),
    ...organizationalUnit.map((text) => relativeName(OID.organizationalUnit, text)),
    ...(commonName === undefined ? [] : [relativeName(OID.commonName, commonName)]),
    ...(serialNumber === undefined ? [] : [relativeName(OID.serialNumber, serialNumber)]),
  );
}

/**
 * The attributes of a Name in order.
 *
 * @throws SpiffeError `malformed-der`
 */
export function readName(name: DerElement): NameAttribute[] {
  const attributes: NameAttribute[] = [];
  const relativeNames = name.reader();
  while (!relativeNames.done) {
    const relative = relativeNames.expect(TAG.set).reader();
    if (relative.done) throw malformed('empty relative distinguished name');
    while (!relative.done) {
      const attribute = relative.expect(TAG.sequence).reader();
      attributes.push({ type: readOid(attribute.expect(TAG.oid)), value: readValue(attribute) });
      attribute.finish();
    }
  }
  return attributes;
}

/** Text of some kind (RFC 5280 section 4.1.2.4); Unicode must be sound, or two readers would see two names. */
function readValue(attribute: DerReader): DerElement {
  const value = attribute.next();
  if (!TEXT_TAGS.has(value.tag)) throw malformed('value of a name is no text');
  if (UNICODE_TAGS.has(value.tag) && readDirectoryText(value) === undefined) {
    throw malformed('text of a name is not sound Unicode');
  }
  return value;
}

/** A name for people, such as `C=US,O=SPIRE`, in the order of the certificate. Never compare names by it. */
export function nameText(attributes: readonly NameAttribute[]): string {
  return attributes.map(({ type, value }) => `${SHORT_NAMES.get(type) ?? type}=${valueText(value)}`).join(',');
}

/** The last common name, as that is the most specific one. */
export function commonNameOf(attributes: readonly NameAttribute[]): string | undefined {
  const attribute = attributes.findLast(({ type }) => type === OID.commonName);
  return attribute === undefined ? undefined : readDirectoryText(attribute.value);
}

function relativeName(type: string, text: string): Uint8Array {
  return setOfOne(sequence(encodeOid(type), encodeDirectoryText(text)));
}

/** Escaped as RFC 4514 section 2.4 wants it, and control characters too, so that a name cannot forge a line of a log. */
function valueText(value: DerElement): string {
  const text = readDirectoryText(value);
  if (text === undefined) return `#${encodeHex(value.raw)}`;
  return text
    .replaceAll(/["+,;<>\\=]/g, '\\$&')
    .replaceAll(/\p{C}/gu, (character) => `\\${encodeHex(new TextEncoder().encode(character))}`)
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
}
