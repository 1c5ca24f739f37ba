import { type KeyObject, sign } from 'node:crypto';
import { bits, der, integer, octets, oid, sequence, time } from './der.ts';

/** A revocation list as asked for, however wrong. */
export interface ForgeCrlOptions {
  /** DER Name of the authority. */
  readonly issuer: Uint8Array;
  /** An EC key. */
  readonly signWith: KeyObject;
  /** Serial numbers in hexadecimal. */
  readonly serials?: readonly string[] | undefined;
  /** Unix seconds. */
  readonly thisUpdate: number;
  readonly nextUpdate?: number | undefined;
  /** OID of a critical extension that nobody knows. */
  readonly criticalExtension?: string | undefined;
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

/** DER of a CertificateList (RFC 5280 section 5.1). */
export function forgeCrl(options: ForgeCrlOptions): Uint8Array {
  const { serials = [], nextUpdate, criticalExtension: critical } = options;
  const entries = serials.map((hex) => sequence(integer(Buffer.from(hex, 'hex')), time(options.thisUpdate)));
  const extension =
    critical === undefined ? [] : [sequence(oid(critical), der(0x01, Uint8Array.of(0xff)), octets(der(0x05)))];
  const signed = sequence(
    integer(Uint8Array.of(1)),
    ECDSA_SHA256,
    options.issuer,
    time(options.thisUpdate),
    ...(nextUpdate === undefined ? [] : [time(nextUpdate)]),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extension.length === 0 ? [] : [der(0xa0, sequence(...extension))]),
  );
  return sequence(signed, ECDSA_SHA256, bits(sign('sha256', signed, options.signWith)));
}
