import type { KeyObject } from 'node:crypto';
import type { JsonValue } from '../json/json-value.ts';
import { KEY_TYPES, type KeyType, keyTypeOf } from '../keys/key-type.ts';

/** The only signature algorithms of SPIFFE tokens (JWT-SVID section 2.1, WIT-SVID section 2.3). */
export type JwsAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512' | 'PS256' | 'PS384' | 'PS512';

/** What RFC 7518 says about one of them. */
export interface AlgorithmRow {
  readonly name: JwsAlgorithm;
  readonly scheme: 'ecdsa' | 'pkcs1' | 'pss';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** The one key type an ECDSA algorithm goes with; RSA takes every sound key. */
  readonly keyType: KeyType | undefined;
  /** Bytes of a raw ECDSA signature; 0 where the modulus decides. */
  readonly signatureBytes: number;
}

function ecdsa(name: JwsAlgorithm, hash: AlgorithmRow['hash'], keyType: KeyType): AlgorithmRow {
  return { name, scheme: 'ecdsa', hash, keyType, signatureBytes: 2 * KEY_TYPES[keyType].coordinateBytes };
}

function rsa(name: JwsAlgorithm, scheme: 'pkcs1' | 'pss', hash: AlgorithmRow['hash']): AlgorithmRow {
  return { name, scheme, hash, keyType: undefined, signatureBytes: 0 };
}

const ROWS: readonly AlgorithmRow[] = [
  rsa('RS256', 'pkcs1', 'sha256'),
  rsa('RS384', 'pkcs1', 'sha384'),
  rsa('RS512', 'pkcs1', 'sha512'),
  ecdsa('ES256', 'sha256', 'ec-p256'),
  ecdsa('ES384', 'sha384', 'ec-p384'),
  ecdsa('ES512', 'sha512', 'ec-p521'),
  rsa('PS256', 'pss', 'sha256'),
  rsa('PS384', 'pss', 'sha384'),
  rsa('PS512', 'pss', 'sha512'),
];
const BY_NAME: ReadonlyMap<unknown, AlgorithmRow> = new Map(ROWS.map((row) => [row.name, row]));

/** The row of an `alg` value as received; `undefined` for everything but the nine exact names. */
export function algorithmNamed(name: JsonValue | undefined): AlgorithmRow | undefined {
  return BY_NAME.get(name);
}

/** Whether a key may make or check signatures of that algorithm: the kind, and for ECDSA the curve (RFC 7518 section 3.4). */
export function algorithmFits(algorithm: AlgorithmRow, key: KeyObject): boolean {
  const { type, family } = keyTypeOf(key);
  return algorithm.keyType === undefined ? family === 'rsa' : algorithm.keyType === type;
}
