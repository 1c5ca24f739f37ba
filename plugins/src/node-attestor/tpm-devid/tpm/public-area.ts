import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { keyTypeOf, SpiffeError } from '@steeple/spiffe';
import { ALG, curveOf, hashOf, type TpmHash } from './algorithms.ts';
import { TpmFormatError, TpmReader, u16 } from './bytes.ts';

/** How a key signs; `hash` is undefined only where the key leaves the choice open. */
export interface SignatureScheme {
  readonly algorithm: number;
  readonly hash: number;
}

/** The public area of a TPM's key (TPMT_PUBLIC, TPM 2.0 library part 2 section 12.2.4), RSA or ECC. */
export interface PublicArea {
  /** As given: the name is a digest of exactly these bytes. */
  readonly raw: Uint8Array;
  readonly type: 'rsa' | 'ecc';
  readonly nameHash: TpmHash;
  /** nameAlg and the digest of the public area: what a TPM calls this key (part 1, section 16). */
  readonly name: Uint8Array;
  readonly attributes: number;
  /** Of a key that protects others: bits of its AES key. */
  readonly aesBits: number | undefined;
  /** Undefined if the key leaves the choice to its user. */
  readonly scheme: SignatureScheme | undefined;
  readonly key: KeyObject;
}

const DEFAULT_EXPONENT = 65_537;
const MAX_RSA_BYTES = 512;

/** @throws {TpmFormatError} for anything else than one whole public area of a sound RSA or ECC key */
export function readPublicArea(raw: Uint8Array): PublicArea {
  const reader = new TpmReader(raw);
  const type = reader.u16('key type');
  const nameAlgorithm = reader.u16('name algorithm');
  const nameHash = hashOf(nameAlgorithm, 'name algorithm');
  const attributes = reader.u32('attributes');
  reader.sized('policy');
  const aesBits = readSymmetric(reader);
  const scheme = readScheme(reader);
  const key = readKey(type, reader);
  reader.finish('public area');
  const digest = createHash(nameHash.name).update(raw).digest();
  return {
    raw,
    type: type === ALG.rsa ? 'rsa' : 'ecc',
    nameHash,
    name: Buffer.concat([u16(nameAlgorithm), digest]),
    attributes,
    aesBits,
    scheme,
    key,
  };
}

export function hasAttributes(area: PublicArea, wanted: number): boolean {
  return (area.attributes & wanted) === wanted;
}

function readSymmetric(reader: TpmReader): number | undefined {
  const algorithm = reader.u16('symmetric algorithm');
  if (algorithm === ALG.null) return undefined;
  const bits = reader.u16('symmetric key bits');
  const mode = reader.u16('symmetric mode');
  if (algorithm === ALG.aes && mode === ALG.cfb && [128, 192, 256].includes(bits)) return bits;
  throw new TpmFormatError('the symmetric algorithm is not AES in mode CFB');
}

function readScheme(reader: TpmReader): SignatureScheme | undefined {
  const algorithm = reader.u16('scheme');
  if (algorithm === ALG.null) return undefined;
  if (algorithm === ALG.rsassa || algorithm === ALG.rsapss || algorithm === ALG.ecdsa) {
    return { algorithm, hash: reader.u16("scheme's digest") };
  }
  throw new TpmFormatError(`the scheme is 0x${algorithm.toString(16)}; RSASSA, RSAPSS and ECDSA are supported`);
}

function readKey(type: number, reader: TpmReader): KeyObject {
  if (type === ALG.rsa) return readRsa(reader);
  if (type === ALG.ecc) return readEcc(reader);
  throw new TpmFormatError(`the key type is 0x${type.toString(16)}; RSA and ECC are supported`);
}

function readRsa(reader: TpmReader): KeyObject {
  reader.u16('modulus bits');
  const exponent = reader.u32('exponent') || DEFAULT_EXPONENT;
  const modulus = reader.sized('modulus');
  // Before the import: big numbers cost it time.
  if (modulus.length > MAX_RSA_BYTES) throw new TpmFormatError('the RSA key has more than 4096 bits');
  return importKey({ kty: 'RSA', n: base64url(modulus), e: base64url(minimal(exponent)) });
}

function readEcc(reader: TpmReader): KeyObject {
  const curve = curveOf(reader.u16('curve'));
  if (reader.u16('key derivation') !== ALG.null) throw new TpmFormatError('the ECC key names a key derivation');
  const x = coordinate(reader.sized('x coordinate'), curve.size);
  const y = coordinate(reader.sized('y coordinate'), curve.size);
  return importKey({ kty: 'EC', crv: curve.jwk, x: base64url(x), y: base64url(y) });
}

function importKey(jwk: Record<string, string>): KeyObject {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    // Refuses small, even and otherwise unsound keys.
    keyTypeOf(key);
    return key;
  } catch (cause) {
    const reason = cause instanceof SpiffeError ? cause.message : 'it is not valid';
    throw new TpmFormatError(`the public key cannot be used: ${reason}`);
  }
}

/** In exactly `size` bytes. */
function coordinate(value: Uint8Array, size: number): Uint8Array {
  if (value.length === 0 || value.length > size) throw new TpmFormatError('a coordinate has the wrong size');
  return Buffer.concat([Buffer.alloc(size - value.length), value]);
}

function minimal(value: number): Uint8Array {
  return Buffer.from(
    value
      .toString(16)
      .padStart(8, '0')
      .replace(/^(00)+/, ''),
    'hex',
  );
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
