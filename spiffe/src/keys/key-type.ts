import type { KeyObject } from 'node:crypto';
import { decodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import { requireSoundRsa } from './rsa-soundness.ts';

/** Keys this package makes. Subjects may also bring RSA keys of other sizes between 2048 and 8192 bits. */
export type KeyType = 'ec-p256' | 'ec-p384' | 'ec-p521' | 'ed25519' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';

/** Every fact about one key type, so that code below is handed the row and never asks for the name. */
export interface KeyTypeRow {
  readonly type: KeyType;
  readonly family: 'ec' | 'ed25519' | 'rsa';
  /** Digest of a signature; `undefined` where the algorithm hashes by itself (Ed25519). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | undefined;
  /** JWS algorithm; `undefined` where the SPIFFE token documents allow none (JWT-SVID section 2.1). */
  readonly jwsAlgorithm: 'ES256' | 'ES384' | 'ES512' | 'RS256' | undefined;
  /** DER AlgorithmIdentifier of an X.509 signature made with such a key (RFC 5758, RFC 8410, RFC 4055). */
  readonly signatureAlgorithm: Uint8Array;
  /** OpenSSL's name of the curve; EC only. */
  readonly curve: 'prime256v1' | 'secp384r1' | 'secp521r1' | undefined;
  /** Bytes of one coordinate, half of a raw ECDSA signature; 0 unless EC. */
  readonly coordinateBytes: number;
  /** Bits of the modulus; 0 unless RSA. */
  readonly modulusBits: number;
}

const ECDSA_SHA256 = decodeHex('300a06082a8648ce3d040302');
const ECDSA_SHA384 = decodeHex('300a06082a8648ce3d040303');
const ECDSA_SHA512 = decodeHex('300a06082a8648ce3d040304');
const ED25519 = decodeHex('300506032b6570');
const RSA_SHA256 = decodeHex('300d06092a864886f70d01010b0500');

const ec = (
  type: KeyType,
  curve: NonNullable<KeyTypeRow['curve']>,
  hash: NonNullable<KeyTypeRow['hash']>,
  jwsAlgorithm: NonNullable<KeyTypeRow['jwsAlgorithm']>,
  signatureAlgorithm: Uint8Array,
  coordinateBytes: number,
): KeyTypeRow => ({
  type,
  family: 'ec',
  curve,
  hash,
  jwsAlgorithm,
  signatureAlgorithm,
  coordinateBytes,
  modulusBits: 0,
});

const rsa = (type: KeyType, modulusBits: number): KeyTypeRow => ({
  type,
  family: 'rsa',
  curve: undefined,
  hash: 'sha256',
  jwsAlgorithm: 'RS256',
  signatureAlgorithm: RSA_SHA256,
  coordinateBytes: 0,
  modulusBits,
});

/** The table. */
export const KEY_TYPES: Readonly<Record<KeyType, KeyTypeRow>> = {
  'ec-p256': ec('ec-p256', 'prime256v1', 'sha256', 'ES256', ECDSA_SHA256, 32),
  'ec-p384': ec('ec-p384', 'secp384r1', 'sha384', 'ES384', ECDSA_SHA384, 48),
  'ec-p521': ec('ec-p521', 'secp521r1', 'sha512', 'ES512', ECDSA_SHA512, 66),
  ed25519: {
    type: 'ed25519',
    family: 'ed25519',
    curve: undefined,
    hash: undefined,
    jwsAlgorithm: undefined,
    signatureAlgorithm: ED25519,
    coordinateBytes: 0,
    modulusBits: 0,
  },
  'rsa-2048': rsa('rsa-2048', 2048),
  'rsa-3072': rsa('rsa-3072', 3072),
  'rsa-4096': rsa('rsa-4096', 4096),
};

/**
 * The row of a public or private key. An RSA key between two sizes gets the row of the smaller one: the facts are the same.
 *
 * @throws SpiffeError `unsupported-key` for any other kind, RSA outside 2048 to 8192 bits, an even modulus, a modulus with
 * a small factor, or an exponent that is even or below 3.
 */
export function keyTypeOf(key: KeyObject): KeyTypeRow {
  const kind = key.asymmetricKeyType;
  if (kind === 'ec') return curveRow(key.asymmetricKeyDetails?.namedCurve);
  if (kind === 'ed25519') return KEY_TYPES.ed25519;
  if (kind === 'rsa') return rsaRow(requireSoundRsa(key));
  throw new SpiffeError('unsupported-key', `unsupported key kind ${kind ?? key.type}`);
}

function rsaRow(bits: number): KeyTypeRow {
  if (bits >= 4096) return KEY_TYPES['rsa-4096'];
  return bits >= 3072 ? KEY_TYPES['rsa-3072'] : KEY_TYPES['rsa-2048'];
}

function curveRow(curve: string | undefined): KeyTypeRow {
  if (curve === 'prime256v1') return KEY_TYPES['ec-p256'];
  if (curve === 'secp384r1') return KEY_TYPES['ec-p384'];
  if (curve === 'secp521r1') return KEY_TYPES['ec-p521'];
  throw new SpiffeError('unsupported-key', `unsupported curve ${curve ?? 'without a name'}`);
}
