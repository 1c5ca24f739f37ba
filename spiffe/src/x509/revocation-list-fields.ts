import { type DerElement, type DerReader, malformed, readSingle } from '../der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tags.ts';
import { readTime } from '../der/time.ts';
import { readOctetAlignedBits, readSmallInteger, readUnsigned } from '../der/values.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { encodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import { type Extension, readAuthorityKeyId, readExtensionList } from './extensions.ts';
import { readName } from './name.ts';
import { OID } from './oids.ts';

/** A revocation list taken apart; the byte strings are windows into it. */
export interface RevocationListFields {
  readonly signedPart: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuer: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  /** Lower-case hexadecimal. */
  readonly serials: ReadonlySet<string>;
  readonly authorityKeyId: string | undefined;
  readonly scope: string;
}

const V2 = 1;

/**
 * Takes a CertificateList apart (RFC 5280 section 5.1).
 *
 * @throws SpiffeError `malformed-der`, `invalid-crl`
 */
export function readRevocationListFields(der: Uint8Array): RevocationListFields {
  const outer = readSingle(der, TAG.sequence).reader();
  const signedPart = outer.expect(TAG.sequence);
  const algorithm = outer.expect(TAG.sequence);
  algorithm.reader().expect(TAG.oid);
  const signatureAlgorithm = algorithm.raw;
  const signature = readOctetAlignedBits(outer);
  outer.finish();

  const inner = signedPart.reader();
  const version = inner.optional(TAG.integer);
  if (version !== undefined && readSmallInteger(version) !== V2) throw malformed('unknown version of revocation list');
  // What is signed must name the algorithm too, or the outer one could be exchanged (RFC 5280 section 5.1.1.2).
  if (!equalBytes(inner.expect(TAG.sequence).raw, signatureAlgorithm)) throw malformed('signature algorithms differ');
  const issuer = inner.expect(TAG.sequence);
  readName(issuer);
  const thisUpdate = readTime(inner);
  const nextUpdate = inner.at(TAG.utcTime) || inner.at(TAG.generalizedTime) ? readTime(inner) : undefined;
  const serials = readSerials(inner.optional(TAG.sequence));
  const extensions = readListExtensions(inner.optional(contextConstructed(0)));
  inner.finish();
  return {
    signedPart: signedPart.raw,
    signatureAlgorithm,
    signature,
    issuer: issuer.raw,
    thisUpdate,
    nextUpdate,
    serials,
    ...extensions,
  };
}

function readSerials(list: DerElement | undefined): ReadonlySet<string> {
  const serials = new Set<string>();
  if (list === undefined) return serials;
  const reader = list.reader();
  while (!reader.done) {
    const entry = reader.expect(TAG.sequence).reader();
    serials.add(encodeHex(readUnsigned(entry)));
    readTime(entry);
    const extensions = entry.optional(TAG.sequence);
    // An entry may name another issuer than the list's, so passing over that would revoke the wrong certificate.
    if (extensions !== undefined) readExtensionList(extensions).forEach(requireHarmless);
    entry.finish();
  }
  return serials;
}

function readListExtensions(element: DerElement | undefined): Pick<RevocationListFields, 'authorityKeyId' | 'scope'> {
  let authorityKeyId: string | undefined;
  let scope = '';
  if (element === undefined) return { authorityKeyId, scope };
  const reader = element.reader();
  for (const extension of readExtensionList(reader.expect(TAG.sequence))) {
    if (extension.oid === OID.authorityKeyId) {
      authorityKeyId = readAuthorityKeyId(readSingle(extension.value, TAG.sequence).reader());
    } else if (extension.oid === OID.issuingDistributionPoint) {
      scope = readScope(readSingle(extension.value, TAG.sequence).reader());
    } else requireHarmless(extension);
  }
  reader.finish();
  return { authorityKeyId, scope };
}

/** Which part of the issuer's certificates a list is about (RFC 5280 section 5.2.5). */
function readScope(reader: DerReader): string {
  const parts: string[] = [];
  while (!reader.done) {
    const part = reader.next();
    if (part.tag === contextPrimitive(4)) throw unusable('an indirect revocation list is not supported');
    parts.push(encodeHex(part.raw));
  }
  return parts.join(' ');
}

function requireHarmless({ oid, critical }: Extension): void {
  if (critical) throw unusable(`critical extension ${oid} of a revocation list is not understood`);
}

function unusable(message: string): SpiffeError {
  return new SpiffeError('invalid-crl', message, { rule: 'WAPI-H3' });
}
