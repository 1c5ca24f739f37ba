import { TpmFormatError } from './bytes.ts';

/** Identifiers of algorithms (TPM 2.0 library part 2, table 9). */
export const ALG = {
  rsa: 0x0001,
  aes: 0x0006,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;

/** A digest, by Node's name. */
export interface TpmHash {
  readonly name: 'sha256' | 'sha384' | 'sha512';
  /** In bytes. */
  readonly size: number;
}

const HASHES: ReadonlyMap<number, TpmHash> = new Map([
  [ALG.sha256, { name: 'sha256', size: 32 }],
  [ALG.sha384, { name: 'sha384', size: 48 }],
  [ALG.sha512, { name: 'sha512', size: 64 }],
]);

/** @throws {TpmFormatError} for SHA-1 and whatever else is not taken */
export function hashOf(algorithm: number, what: string): TpmHash {
  const hash = HASHES.get(algorithm);
  if (hash === undefined) throw new TpmFormatError(`the ${what} is 0x${algorithm.toString(16)}; SHA-2 is supported`);
  return hash;
}

/** An elliptic curve under its names here and there. */
export interface TpmCurve {
  readonly jwk: 'P-256' | 'P-384' | 'P-521';
  readonly node: 'prime256v1' | 'secp384r1' | 'secp521r1';
  /** Bytes of a coordinate. */
  readonly size: number;
}

const CURVES: ReadonlyMap<number, TpmCurve> = new Map([
  [0x0003, { jwk: 'P-256', node: 'prime256v1', size: 32 }],
  [0x0004, { jwk: 'P-384', node: 'secp384r1', size: 48 }],
  [0x0005, { jwk: 'P-521', node: 'secp521r1', size: 66 }],
]);
export const CURVE_P256 = 0x0003;

/** @throws {TpmFormatError} */
export function curveOf(id: number): TpmCurve {
  const curve = CURVES.get(id);
  if (curve === undefined) throw new TpmFormatError(`the curve is 0x${id.toString(16)}; P-256, P-384, P-521 are known`);
  return curve;
}

/** What a key is and may do: bits of TPMA_OBJECT (part 2, section 8.3). */
export const ATTRIBUTE = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDictionaryAttack: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;
