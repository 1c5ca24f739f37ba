import { createPublicKey, type KeyObject } from 'node:crypto';
import { SshFormatError, SshReader } from './ssh-reader.ts';
import { sshPositive, sshString } from './ssh-writer.ts';

/** A key that can sign, in SSH's terms (RFC 4253 section 6.6, RFC 5656, RFC 8709). */
export interface SshPublicKey {
  /** Such as `ssh-ed25519`. */
  readonly type: string;
  readonly key: KeyObject;
  /** Its only form on the wire; two keys are equal if these bytes are. */
  readonly blob: Uint8Array;
}

interface Curve {
  readonly jwk: string;
  readonly openssl: string;
  readonly bytes: number;
}

export const CURVES: Readonly<Record<string, Curve>> = {
  nistp256: { jwk: 'P-256', openssl: 'prime256v1', bytes: 32 },
  nistp384: { jwk: 'P-384', openssl: 'secp384r1', bytes: 48 },
  nistp521: { jwk: 'P-521', openssl: 'secp521r1', bytes: 66 },
};

const RSA_BITS = { min: 2048, max: 8192 };
const ED25519_BYTES = 32;
const UNCOMPRESSED = 4;

/**
 * A public key that fills all of `blob`.
 *
 * @throws {SshFormatError} for another form, an unsupported type, or an unsound key
 */
export function readPublicKey(blob: Uint8Array): SshPublicKey {
  const reader = new SshReader(blob);
  const key = readKeyOf(reader.text('the key type'), reader);
  reader.finish('the public key');
  return key;
}

/** The fields of a key whose type was read already. @throws {SshFormatError} */
export function readKeyOf(type: string, reader: SshReader): SshPublicKey {
  if (type === 'ssh-ed25519') return ed25519(reader.bytes('the Ed25519 key'));
  if (type === 'ssh-rsa') return rsa(reader.positive('the RSA exponent'), reader.positive('the RSA modulus'));
  const curve = /^ecdsa-sha2-(nistp\d+)$/.exec(type)?.[1];
  if (curve !== undefined && Object.hasOwn(CURVES, curve)) {
    if (reader.text('the curve') !== curve) throw new SshFormatError('the curve is not the one of the key type');
    return ecdsa(curve, reader.bytes('the point'));
  }
  throw new SshFormatError(`the key type ${quoted(type)} is not supported; Ed25519, ECDSA and RSA are`);
}

/** @throws {SshFormatError} for a kind of key that SSH or this program does not know */
export function publicKeyOf(key: KeyObject): SshPublicKey {
  if (!['rsa', 'ec', 'ed25519'].includes(key.asymmetricKeyType ?? '')) throw unsupported();
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const part = (name: 'x' | 'y' | 'n' | 'e') => Buffer.from(jwk[name] ?? '', 'base64url');
  if (jwk.kty === 'RSA') return rsa(part('e'), part('n'));
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return ed25519(part('x'));
  const curve = Object.entries(CURVES).find(([, each]) => each.jwk === jwk.crv)?.[0];
  if (curve === undefined) throw unsupported();
  return ecdsa(curve, Buffer.concat([Uint8Array.of(UNCOMPRESSED), part('x'), part('y')]));
}

function unsupported(): SshFormatError {
  return new SshFormatError('is a kind of key that is not supported; Ed25519, ECDSA and RSA are');
}

/** For messages: no text of a stranger goes there as it is, or at any length. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

function ed25519(x: Uint8Array): SshPublicKey {
  if (x.length !== ED25519_BYTES) throw new SshFormatError('the Ed25519 key does not have 32 bytes');
  const type = 'ssh-ed25519';
  return imported(type, [sshString(x)], { kty: 'OKP', crv: 'Ed25519', x: base64url(x) });
}

function ecdsa(curve: string, point: Uint8Array): SshPublicKey {
  const { jwk, bytes } = CURVES[curve] as Curve;
  if (point.length !== 1 + 2 * bytes || point[0] !== UNCOMPRESSED) {
    throw new SshFormatError('the point is not an uncompressed one of its curve');
  }
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
  const fields = [sshString(curve), sshString(point)];
  return imported(`ecdsa-sha2-${curve}`, fields, { kty: 'EC', crv: jwk, x: base64url(x), y: base64url(y) });
}

function rsa(exponent: Uint8Array, modulus: Uint8Array): SshPublicKey {
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) {
    throw new SshFormatError(`the RSA key has ${bits} bits; ${RSA_BITS.min} to ${RSA_BITS.max} are accepted`);
  }
  const isOdd = (number: Uint8Array) => ((number.at(-1) ?? 0) & 1) === 1;
  const isOne = exponent.length === 1 && exponent[0] === 1;
  if (exponent.length > 4 || !isOdd(exponent) || isOne || !isOdd(modulus)) {
    throw new SshFormatError('the RSA key is unsound');
  }
  const fields = [sshPositive(exponent), sshPositive(modulus)];
  return imported('ssh-rsa', fields, { kty: 'RSA', e: base64url(exponent), n: base64url(modulus) });
}

function imported(type: string, fields: readonly Uint8Array[], jwk: Record<string, string>): SshPublicKey {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return { type, key, blob: Buffer.concat([sshString(type), ...fields]) };
  } catch (cause) {
    throw new SshFormatError(`the ${type} key is unsound`, { cause });
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
