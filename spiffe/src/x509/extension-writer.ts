import { contextPrimitive, TAG } from '../der/tags.ts';
import { encodeAscii } from '../der/text.ts';
import { encodeOid, octetString, sequence, smallInteger, TRUE, tlv } from '../der/writer.ts';
import { concatBytes } from '../encoding/bytes.ts';
import type { KeyTypeRow } from '../keys/key-type.ts';
import { GENERAL_NAME } from './general-names.ts';
import { OID } from './oids.ts';

const SUBJECT_ALT_NAME = encodeOid(OID.subjectAltName);
const SUBJECT_KEY_ID = encodeOid(OID.subjectKeyId);
const AUTHORITY_KEY_ID = encodeOid(OID.authorityKeyId);

const critical = (oid: string, value: Uint8Array) => sequence(encodeOid(oid), TRUE, octetString(value));
const plain = (oid: string, value: Uint8Array) => sequence(encodeOid(oid), octetString(value));
/** A BIT STRING of named bits in one octet; DER drops the trailing zero bits. */
const namedBits = (unused: number, bits: number) => tlv(TAG.bitString, Uint8Array.of(unused, bits));

/**
 * What every leaf carries, ready for copying: key usage, key purposes, basic constraints. digitalSignature alone, and
 * keyEncipherment only where it means something: RFC 8813 forbids it for EC keys (X509-17, 18, 21 to 26, 15).
 */
export const LEAF_EXTENSIONS: Readonly<Record<KeyTypeRow['family'], Uint8Array>> = {
  ec: leafExtensions(namedBits(7, 0x80)),
  ed25519: leafExtensions(namedBits(7, 0x80)),
  rsa: leafExtensions(namedBits(5, 0xa0)),
};

/** What every CA carries: keyCertSign and cRLSign, cA, and no key purposes (X509-14, 18 to 20, 27). */
export function caExtensions(pathLength: number | undefined): Uint8Array {
  const constraints = pathLength === undefined ? sequence(TRUE) : sequence(TRUE, smallInteger(pathLength));
  return concatBytes([critical(OID.keyUsage, namedBits(1, 0x06)), critical(OID.basicConstraints, constraints)]);
}

export function subjectKeyId(id: Uint8Array): Uint8Array {
  return sequence(SUBJECT_KEY_ID, octetString(octetString(id)));
}

export function authorityKeyId(id: Uint8Array): Uint8Array {
  return sequence(AUTHORITY_KEY_ID, octetString(sequence(tlv(contextPrimitive(0), id))));
}

/** One URI and any DNS names; critical where the subject is empty (X509-06). */
export function alternativeNames(
  uri: string | undefined,
  dnsNames: readonly string[],
  isCritical: boolean,
): Uint8Array {
  const names = sequence(
    ...(uri === undefined ? [] : [encodeAscii(GENERAL_NAME.uri, uri)]),
    ...dnsNames.map((name) => encodeAscii(GENERAL_NAME.dns, name)),
  );
  if (isCritical) return sequence(SUBJECT_ALT_NAME, TRUE, octetString(names));
  return sequence(SUBJECT_ALT_NAME, octetString(names));
}

function leafExtensions(keyUsage: Uint8Array): Uint8Array {
  return concatBytes([
    critical(OID.keyUsage, keyUsage),
    plain(OID.extKeyUsage, sequence(encodeOid(OID.serverAuth), encodeOid(OID.clientAuth))),
    critical(OID.basicConstraints, sequence()),
  ]);
}
