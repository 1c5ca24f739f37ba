import { type DerElement, DerReader, malformed, readSingle } from '../der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tags.ts';
import { readTime } from '../der/time.ts';
import { readNamedBits, readOctetAlignedBits, readOid, readSmallInteger, readUnsigned } from '../der/values.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { type Extensions, noExtensions, readExtensions } from './extensions.ts';
import { type NameAttribute, readName } from './name.ts';

/** A certificate taken apart; the byte strings are windows into it. */
export interface CertificateFields {
  readonly signedPart: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Uint8Array;
  readonly subjectAttributes: readonly NameAttribute[];
  readonly spki: Uint8Array;
  readonly extensions: Extensions;
}

/** Far above any certificate; a limit on the work for hostile ones. */
const MAX_CERTIFICATE_BYTES = 256 * 1024;
/** RFC 5280 allows 20 octets, some issuers have used a few more. */
const MAX_SERIAL_BYTES = 32;
const V3 = 2;

/**
 * Takes a Certificate apart (RFC 5280 section 4.1).
 *
 * @throws SpiffeError `malformed-der`
 */
export function readCertificateFields(der: Uint8Array): CertificateFields {
  if (der.length > MAX_CERTIFICATE_BYTES) throw malformed('certificate is too large');
  const outer = readSingle(der, TAG.sequence).reader();
  const signedPart = outer.expect(TAG.sequence);
  const signatureAlgorithm = readAlgorithm(outer);
  const signature = readOctetAlignedBits(outer);
  outer.finish();

  const inner = signedPart.reader();
  const version = readVersion(inner.optional(contextConstructed(0)));
  const serial = readUnsigned(inner);
  if (serial.length > MAX_SERIAL_BYTES) throw malformed('serial number is too long');
  // What is signed must name the algorithm too, or the outer one could be exchanged (RFC 5280 section 4.1.1.2).
  if (!equalBytes(inner.expect(TAG.sequence).raw, signatureAlgorithm)) throw malformed('signature algorithms differ');
  const issuer = inner.expect(TAG.sequence);
  readName(issuer);
  const [notBefore, notAfter] = readValidity(inner);
  const subject = inner.expect(TAG.sequence);
  const subjectAttributes = readName(subject);
  const spki = inner.expect(TAG.sequence).raw;
  skipUniqueId(inner.optional(contextPrimitive(1)));
  skipUniqueId(inner.optional(contextPrimitive(2)));
  const extensions = readOptionalExtensions(inner.optional(contextConstructed(3)), version);
  inner.finish();

  return {
    signedPart: signedPart.raw,
    signatureAlgorithm,
    signature,
    serial,
    issuer: issuer.raw,
    notBefore,
    notAfter,
    subject: subject.raw,
    subjectAttributes,
    spki,
    extensions,
  };
}

/** An AlgorithmIdentifier; what it means is decided where the signature is checked. */
function readAlgorithm(reader: DerReader): Uint8Array {
  const element = reader.expect(TAG.sequence);
  const parts = element.reader();
  readOid(parts.expect(TAG.oid));
  if (!parts.done) parts.next();
  parts.finish();
  return element.raw;
}

function readVersion(element: DerElement | undefined): number {
  if (element === undefined) return 0;
  const reader = element.reader();
  const version = readSmallInteger(reader.expect(TAG.integer));
  reader.finish();
  if (version > V3) throw malformed('unknown version of certificate');
  return version;
}

function readValidity(reader: DerReader): [number, number] {
  const validity = reader.expect(TAG.sequence).reader();
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.finish();
  return [notBefore, notAfter];
}

/** Unique identifiers of names mean nothing to us (RFC 5280 section 4.1.2.8), but have to be bit strings. */
function skipUniqueId(element: DerElement | undefined): void {
  if (element !== undefined) readNamedBits(element);
}

function readOptionalExtensions(element: DerElement | undefined, version: number): Extensions {
  if (element === undefined) return noExtensions();
  if (version !== V3) throw malformed('extensions in an old version of certificate');
  const reader = element.reader();
  const extensions = readExtensions(reader.expect(TAG.sequence));
  reader.finish();
  return extensions;
}
