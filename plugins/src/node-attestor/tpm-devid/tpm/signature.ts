import { constants, type KeyObject, verify } from 'node:crypto';
import { ALG, hashOf, type TpmHash } from './algorithms.ts';
import { TpmFormatError, TpmReader } from './bytes.ts';
import type { SignatureScheme } from './public-area.ts';

/** A signature with the scheme it names (TPMT_SIGNATURE, TPM 2.0 library part 2 section 11.3.4). */
export type TpmSignature =
  | { readonly kind: 'rsassa' | 'rsapss'; readonly hash: TpmHash; readonly signature: Uint8Array }
  | { readonly kind: 'ecdsa'; readonly hash: TpmHash; readonly r: Uint8Array; readonly s: Uint8Array };

interface ReadSignature {
  readonly scheme: SignatureScheme;
  readonly signature: TpmSignature;
}

/** Coordinates per curve, in bytes. */
const CURVE_BYTES: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

/** @throws {TpmFormatError} */
export function readSignature(raw: Uint8Array): ReadSignature {
  const reader = new TpmReader(raw);
  const read = nextSignature(reader);
  reader.finish('signature');
  return read;
}

function nextSignature(reader: TpmReader): ReadSignature {
  const algorithm = reader.u16('signature algorithm');
  const hashAlgorithm = reader.u16("signature's digest");
  const hash = hashOf(hashAlgorithm, "signature's digest");
  const scheme = { algorithm, hash: hashAlgorithm };
  if (algorithm === ALG.ecdsa) {
    return { scheme, signature: { kind: 'ecdsa', hash, r: reader.sized('r'), s: reader.sized('s') } };
  }
  if (algorithm !== ALG.rsassa && algorithm !== ALG.rsapss) {
    throw new TpmFormatError(`the signature algorithm is 0x${algorithm.toString(16)}`);
  }
  const kind = algorithm === ALG.rsassa ? 'rsassa' : 'rsapss';
  return { scheme, signature: { kind, hash, signature: reader.sized('signature') } };
}

/** Whether the owner of the key signed the data. */
export function signatureHolds(key: KeyObject, data: Uint8Array, given: TpmSignature): boolean {
  if (given.kind === 'ecdsa') {
    const signature = rawEcdsa(key, given.r, given.s);
    return signature !== undefined && verify(given.hash.name, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  }
  if (key.asymmetricKeyType !== 'rsa') return false;
  if (given.kind === 'rsassa') return verify(given.hash.name, data, key, given.signature);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return verify(given.hash.name, data, { key, ...pss }, given.signature);
}

/** r and s in a row, as X.509 does not have them: there they are DER (see {@link x509Signature}). */
function rawEcdsa(key: KeyObject, r: Uint8Array, s: Uint8Array): Uint8Array | undefined {
  const size = CURVE_BYTES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || size === undefined || r.length > size || s.length > size) return undefined;
  return Buffer.concat([Buffer.alloc(size - r.length), r, Buffer.alloc(size - s.length), s]);
}

/** The signature as X.509 has it: ECDSA numbers as a DER sequence, RSA as it is. */
export function x509Signature(given: TpmSignature): Uint8Array {
  if (given.kind !== 'ecdsa') return given.signature;
  return der(0x30, Buffer.concat([derInteger(given.r), derInteger(given.s)]));
}

function derInteger(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  const magnitude = first < 0 ? Uint8Array.of(0) : number.subarray(first);
  const positive = (magnitude[0] ?? 0) & 0x80 ? Buffer.concat([Uint8Array.of(0), magnitude]) : magnitude;
  return der(0x02, positive);
}

function der(tag: number, contents: Uint8Array): Uint8Array {
  // The longest, two numbers of P-521, needs one byte more for its length.
  const length = contents.length < 128 ? [contents.length] : [0x81, contents.length];
  return Buffer.concat([Uint8Array.of(tag, ...length), contents]);
}
