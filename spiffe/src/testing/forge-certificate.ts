import { type KeyObject, sign } from 'node:crypto';
import { contextConstructed, TAG } from '../der/tags.ts';
import { encodeAscii } from '../der/text.ts';
import { encodeTime } from '../der/time.ts';
import { bitString, encodeOid, octetString, sequence, smallInteger, TRUE, tlv } from '../der/writer.ts';
import { KEY_TYPES, keyTypeOf } from '../keys/key-type.ts';
import { generateKey } from '../keys/private-key.ts';
import { spkiOf } from '../keys/spki.ts';
import { Certificate } from '../x509/certificate.ts';
import { GENERAL_NAME } from '../x509/general-names.ts';
import { encodeName } from '../x509/name.ts';
import { OID } from '../x509/oids.ts';

/** Middle of the validity that forged certificates have unless told otherwise. */
export const NOW = 1_800_000_000;

/** An entity that can sign what it should not. */
export interface Forger {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** A certificate of any kind, sound or not; what is left out is that of a good leaf. */
export interface Forgery {
  readonly by?: Forger;
  readonly key?: KeyObject;
  readonly spki?: Uint8Array;
  readonly subject?: string;
  readonly issuerName?: Uint8Array;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly uris?: readonly string[];
  readonly names?: readonly Uint8Array[];
  /** DER of the BIT STRING, or `undefined` for no extension. */
  readonly keyUsage?: Uint8Array | undefined;
  readonly keyUsageCritical?: boolean;
  /** DER of the SEQUENCE, or `undefined` for no extension. */
  readonly basicConstraints?: Uint8Array | undefined;
  /** Key purposes; both by default. */
  readonly purposes?: readonly string[];
  readonly more?: readonly Uint8Array[];
  readonly signature?: { readonly hash: string; readonly algorithm: Uint8Array };
}

export const bits = (unused: number, value: number): Uint8Array => tlv(TAG.bitString, Uint8Array.of(unused, value));
const DIGITAL_SIGNATURE = bits(7, 0x80);
export const CERT_SIGN = bits(2, 0x04);
export const CA = sequence(TRUE);
export const caWithPathLength = (limit: number): Uint8Array => sequence(TRUE, smallInteger(limit));
export const uriName = (uri: string): Uint8Array => encodeAscii(GENERAL_NAME.uri, uri);
export const dnsName = (name: string): Uint8Array => encodeAscii(GENERAL_NAME.dns, name);

export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(encodeOid(oid), ...(critical ? [TRUE] : []), octetString(value));
}

/** Permits or excludes subtrees, each given as a GeneralName. */
export function nameConstraints(permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Uint8Array {
  const list = (number: number, bases: readonly Uint8Array[]) =>
    bases.length === 0 ? [] : [tlv(contextConstructed(number), ...bases.map((base) => sequence(base)))];
  return extension(OID.nameConstraints, true, sequence(...list(0, permitted), ...list(1, excluded)));
}

export function forge(forgery: Forgery = {}): Forger {
  const key = forgery.key ?? generateKey('ec-p256');
  const subject = encodeName({ commonName: forgery.subject ?? 'leaf' });
  const issuer = forgery.by ?? { key, certificate: undefined };
  const signature = forgery.signature ?? defaultSignature(issuer.key);
  const signedPart = sequence(
    tlv(contextConstructed(0), smallInteger(2)),
    smallInteger(4711),
    signature.algorithm,
    forgery.issuerName ?? issuer.certificate?.subject ?? subject,
    sequence(encodeTime(forgery.notBefore ?? NOW - 1000), encodeTime(forgery.notAfter ?? NOW + 1000)),
    subject,
    forgery.spki ?? spkiOf(key),
    tlv(contextConstructed(3), sequence(...extensionsOf(forgery))),
  );
  const value = new Uint8Array(sign(signature.hash || null, signedPart, issuer.key));
  return { key, certificate: Certificate.parse(sequence(signedPart, signature.algorithm, bitString(value))) };
}

/** A root or intermediate in good order. */
export function forgeCa(subject: string, forgery: Forgery = {}): Forger {
  return forge({ subject, uris: [], keyUsage: CERT_SIGN, basicConstraints: CA, ...forgery });
}

function extensionsOf(forgery: Forgery): Uint8Array[] {
  const {
    uris = ['spiffe://a.test/x'],
    names = [],
    more = [],
    keyUsageCritical = true,
    purposes = [OID.serverAuth, OID.clientAuth],
  } = forgery;
  const keyUsage = 'keyUsage' in forgery ? forgery.keyUsage : DIGITAL_SIGNATURE;
  const basicConstraints = 'basicConstraints' in forgery ? forgery.basicConstraints : sequence();
  const all = [...uris.map(uriName), ...names];
  return [
    ...(keyUsage === undefined ? [] : [extension(OID.keyUsage, keyUsageCritical, keyUsage)]),
    ...(basicConstraints === undefined ? [] : [extension(OID.basicConstraints, true, basicConstraints)]),
    ...(all.length === 0 ? [] : [extension(OID.subjectAltName, false, sequence(...all))]),
    extension(OID.extKeyUsage, false, sequence(...purposes.map(encodeOid))),
    ...more,
  ];
}

function defaultSignature(key: KeyObject) {
  const { type, hash } = keyTypeOf(key);
  return { hash: hash ?? '', algorithm: KEY_TYPES[type].signatureAlgorithm };
}
