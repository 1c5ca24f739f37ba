import { type DerElement, type DerReader, malformed, readSingle } from '../der/reader.ts';
import { contextPrimitive, TAG } from '../der/tags.ts';
import { readBoolean, readOid, readSmallInteger } from '../der/values.ts';
import { encodeHex } from '../encoding/hex.ts';
import { type AlternativeNames, readAlternativeNames } from './general-names.ts';
import { type KeyUsage, readKeyUsage } from './key-usage.ts';
import { type NameConstraints, readNameConstraints } from './name-constraints.ts';
import { OID } from './oids.ts';

export interface BasicConstraints {
  readonly critical: boolean;
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

/** The extensions that matter to us; absent ones stay `undefined`. */
export interface Extensions {
  alternativeNames: (AlternativeNames & { readonly critical: boolean }) | undefined;
  keyUsage: KeyUsage | undefined;
  extKeyUsage: readonly string[] | undefined;
  basicConstraints: BasicConstraints | undefined;
  nameConstraints: NameConstraints | undefined;
  subjectKeyId: string | undefined;
  authorityKeyId: string | undefined;
  /** Critical extensions that nothing here understands: a reason to refuse (RFC 5280 section 4.2). */
  unknownCritical: readonly string[];
}

/** More than any certificate has; keeps the check for duplicates small. */
const MAX_EXTENSIONS = 64;

export const noExtensions = (): Extensions => ({
  alternativeNames: undefined,
  keyUsage: undefined,
  extKeyUsage: undefined,
  basicConstraints: undefined,
  nameConstraints: undefined,
  subjectKeyId: undefined,
  authorityKeyId: undefined,
  unknownCritical: [],
});

/**
 * Reads an Extensions list (RFC 5280 section 4.1.2.9), each extension at most once.
 *
 * @throws SpiffeError `malformed-der`
 */
export function readExtensions(list: DerElement): Extensions {
  const extensions = noExtensions();
  const unknownCritical: string[] = [];
  for (const { oid, critical, value } of readExtensionList(list)) {
    const understood = keep(extensions, oid, critical, value);
    if (!understood && critical) unknownCritical.push(oid);
  }
  extensions.unknownCritical = unknownCritical;
  return extensions;
}

/** One extension, its value still encoded. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** The extensions of a list one by one. @throws SpiffeError `malformed-der` */
export function readExtensionList(list: DerElement): readonly Extension[] {
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  const reader = list.reader();
  if (reader.done) throw malformed('empty list of extensions');
  while (!reader.done) {
    const extension = readExtension(reader);
    if (seen.has(extension.oid)) throw malformed('extension occurs twice');
    if (seen.size === MAX_EXTENSIONS) throw malformed('too many extensions');
    seen.add(extension.oid);
    extensions.push(extension);
  }
  return extensions;
}

function readExtension(list: DerReader): Extension {
  const reader = list.expect(TAG.sequence).reader();
  const oid = readOid(reader.expect(TAG.oid));
  const flag = reader.optional(TAG.boolean);
  const value = reader.expect(TAG.octetString).contents;
  reader.finish();
  return { oid, critical: flag !== undefined && readBoolean(flag), value };
}

function keep(into: Extensions, oid: string, critical: boolean, value: Uint8Array): boolean {
  switch (oid) {
    case OID.subjectAltName:
      into.alternativeNames = { critical, ...readAlternativeNames(readSingle(value, TAG.sequence).reader()) };
      return true;
    case OID.keyUsage:
      into.keyUsage = readKeyUsage(readSingle(value, TAG.bitString), critical);
      return true;
    case OID.extKeyUsage:
      into.extKeyUsage = readOids(readSingle(value, TAG.sequence).reader());
      return true;
    case OID.basicConstraints:
      into.basicConstraints = readBasicConstraints(readSingle(value, TAG.sequence).reader(), critical);
      return true;
    case OID.nameConstraints:
      into.nameConstraints = readNameConstraints(readSingle(value, TAG.sequence), critical);
      return true;
    case OID.subjectKeyId:
      into.subjectKeyId = encodeHex(readSingle(value, TAG.octetString).contents);
      return true;
    case OID.authorityKeyId:
      into.authorityKeyId = readAuthorityKeyId(readSingle(value, TAG.sequence).reader());
      return true;
    default:
      return false;
  }
}

function readOids(reader: DerReader): string[] {
  if (reader.done) throw malformed('empty list of key purposes');
  const oids: string[] = [];
  while (!reader.done) oids.push(readOid(reader.expect(TAG.oid)));
  return oids;
}

/** FALSE written out is not DER, yet old certificates have it and it is harmless. */
function readBasicConstraints(reader: DerReader, critical: boolean): BasicConstraints {
  const flag = reader.optional(TAG.boolean);
  const ca = flag !== undefined && readBoolean(flag);
  const limit = reader.optional(TAG.integer);
  reader.finish();
  if (limit !== undefined && !ca) throw malformed('path length without a CA');
  return { critical, ca, pathLength: limit === undefined ? undefined : readSmallInteger(limit) };
}

/** Only the key identifier; issuer and serial number, where they are given, are not used. */
export function readAuthorityKeyId(reader: DerReader): string | undefined {
  const keyId = reader.optional(contextPrimitive(0));
  while (!reader.done) reader.next();
  return keyId === undefined ? undefined : encodeHex(keyId.contents);
}
