import { sign } from 'node:crypto';
import { contextConstructed, contextPrimitive, TAG } from '../der/tags.ts';
import { encodeTime } from '../der/time.ts';
import { bitString, encodeOid, sequence, smallInteger, tlv } from '../der/writer.ts';
import { decodeHex } from '../encoding/hex.ts';
import { extension, type Forger, NOW } from './forge-certificate.ts';

/** A revocation list of any kind; what is left out is that of a good one. */
export interface ForgedCrl {
  readonly by: Forger;
  readonly signWith?: Forger;
  /** Serial numbers in hexadecimal, below 80 in the first octet. */
  readonly serials?: readonly string[];
  readonly thisUpdate?: number;
  /** `undefined` for none. */
  readonly nextUpdate?: number | undefined;
  /** Of the authority key identifier, in hexadecimal. */
  readonly keyId?: string;
  readonly extensions?: readonly Uint8Array[];
  readonly entryExtensions?: readonly Uint8Array[];
}

const ECDSA_SHA256 = sequence(encodeOid('1.2.840.10045.4.3.2'));

/** DER of the list. */
export function forgeCrl(crl: ForgedCrl): Uint8Array {
  const { serials = [], entryExtensions = [], keyId, thisUpdate = NOW - 10 } = crl;
  const nextUpdate = 'nextUpdate' in crl ? crl.nextUpdate : NOW + 1000;
  const entries = serials.map((hex) =>
    sequence(
      tlv(TAG.integer, decodeHex(hex)),
      encodeTime(NOW - 100),
      ...(entryExtensions.length === 0 ? [] : [sequence(...entryExtensions)]),
    ),
  );
  const extensions = [
    ...(keyId === undefined
      ? []
      : [extension('2.5.29.35', false, sequence(tlv(contextPrimitive(0), decodeHex(keyId))))]),
    ...(crl.extensions ?? []),
  ];
  const signedPart = sequence(
    smallInteger(1),
    ECDSA_SHA256,
    crl.by.certificate.subject,
    encodeTime(thisUpdate),
    ...(nextUpdate === undefined ? [] : [encodeTime(nextUpdate)]),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [tlv(contextConstructed(0), sequence(...extensions))]),
  );
  const signature = new Uint8Array(sign('sha256', signedPart, (crl.signWith ?? crl.by).key));
  return sequence(signedPart, ECDSA_SHA256, bitString(signature));
}
