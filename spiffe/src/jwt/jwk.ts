import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { decodeBase64url } from '../encoding/base64.ts';
import { SpiffeError } from '../errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import { keyTypeOf } from '../keys/key-type.ts';
import { algorithmFits, algorithmNamed, type JwsAlgorithm } from './algorithm.ts';

/** A JSON Web Key (RFC 7517) with the members that SPIFFE documents use. */
export interface Jwk {
  readonly kty: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly use?: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly x5c?: readonly string[];
}

/** Signed once to see whether two halves of a key belong together. */
const PROBE = new TextEncoder().encode('does this key sign for that one?');
/** Members that only a private or symmetric key has (RFC 7518 section 6). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const COORDINATE_BYTES = new Map<unknown, number>([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
]);

/**
 * The public half of a key as JWK: the members of its type and, if given, `alg`. A private key gives its public half.
 *
 * @throws SpiffeError `unsupported-key` if the algorithm does not belong to the key (WIT-H1)
 */
export function publicJwk(key: KeyObject, options: { readonly alg?: string } = {}): Jwk {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const alg = options.alg === undefined ? {} : { alg: requireFitting(options.alg, publicKey) };
  const { kty = '', crv, x, y, n, e } = publicKey.export({ format: 'jwk' });
  if (n !== undefined && e !== undefined) return { kty, n, e, ...alg };
  if (crv === undefined || x === undefined) throw new SpiffeError('unsupported-key', 'the key has no JWK form');
  return { kty, crv, x, ...(y === undefined ? {} : { y }), ...alg };
}

/**
 * A private key as JWK with `alg`, the form in which a workload receives the key of its WIT-SVID. The result is secret.
 *
 * @throws SpiffeError `unsupported-key` if no algorithm of the nine belongs to the key
 */
export function privateJwk(
  key: KeyObject,
  options: { readonly alg?: string } = {},
): Jwk & Readonly<Record<string, unknown>> {
  if (key.type !== 'private') throw new TypeError('privateJwk needs a private key');
  const alg = requireFitting(options.alg ?? defaultAlgorithm(key), key);
  return { ...key.export({ format: 'jwk' }), kty: publicJwk(key).kty, alg };
}

/**
 * The algorithm a key signs tokens with unless told otherwise.
 *
 * @throws SpiffeError `unsupported-key` for Ed25519 and what is not supported at all (JWT-04)
 */
export function defaultAlgorithm(key: KeyObject): JwsAlgorithm {
  const { jwsAlgorithm, type } = keyTypeOf(key);
  if (jwsAlgorithm !== undefined) return jwsAlgorithm;
  throw new SpiffeError('unsupported-key', `tokens are not signed with ${type} keys`, { rule: 'JWT-04' });
}

/**
 * A sound public key from a JWK as received. Only the members of the key itself are read: filter by `use` and bind `alg`
 * before or after.
 *
 * @throws SpiffeError `unsupported-key` for unknown `kty` or `crv`, members of a private key, or a key that is no good
 */
export function publicKeyFromJwk(jwk: JsonObject): KeyObject {
  if (SECRET_MEMBERS.some((member) => member in jwk)) throw unsupported('the JWK is not public');
  return checked(() => createPublicKey({ key: keyMembers(jwk), format: 'jwk' }));
}

/**
 * A private key from a JWK as received. Its public members may be those of another key, and OpenSSL does not notice, so the
 * key has to show that it signs for them.
 *
 * @throws SpiffeError `unsupported-key`, never quoting the key
 */
export function privateKeyFromJwk(jwk: JsonObject): KeyObject {
  if (typeof jwk['d'] !== 'string') throw unsupported('the JWK is not private');
  const secrets = Object.fromEntries(
    SECRET_MEMBERS.filter((member) => member in jwk).map((member) => [member, requireBytes(jwk, member)]),
  );
  const privateKey = checked(() => createPrivateKey({ key: { ...keyMembers(jwk), ...secrets }, format: 'jwk' }));
  if (!signsForItself(privateKey)) throw unsupported('the halves of the JWK do not belong together');
  return privateKey;
}

function signsForItself(privateKey: KeyObject): boolean {
  const { hash } = keyTypeOf(privateKey);
  try {
    return verify(hash, PROBE, createPublicKey(privateKey), sign(hash, PROBE, privateKey));
  } catch {
    return false;
  }
}

function keyMembers(jwk: JsonObject): { kty: string; [member: string]: string } {
  const { kty, crv } = jwk;
  if (kty === 'RSA') return { kty, n: requireBytes(jwk, 'n', [1, 1024]), e: requireBytes(jwk, 'e', [1, 8]) };
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x: requireBytes(jwk, 'x', [32, 32]) };
  const size = COORDINATE_BYTES.get(crv);
  if (kty !== 'EC' || typeof crv !== 'string' || size === undefined) throw unsupported('unknown key type or curve');
  return { kty, crv, x: requireBytes(jwk, 'x', [size, size]), y: requireBytes(jwk, 'y', [size, size]) };
}

/** A member in canonical base64url, and of a length that is right (RFC 7518 section 6) or can be imported at small cost. */
function requireBytes(jwk: JsonObject, member: string, [least, most]: readonly [number, number] = [1, 1024]): string {
  const text = jwk[member];
  const bytes = typeof text === 'string' ? decodeBase64url(text) : undefined;
  if (typeof text !== 'string' || bytes === undefined) throw unsupported(`member ${member} is not base64url`);
  if (bytes.length < least || bytes.length > most) throw unsupported(`member ${member} has the wrong length`);
  return text;
}

function checked(create: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = create();
  } catch {
    // OpenSSL's reason is left out: it may describe the private parts.
    throw unsupported('the JWK holds no usable key');
  }
  keyTypeOf(key);
  return key;
}

function requireFitting(name: string, key: KeyObject): JwsAlgorithm {
  const algorithm = algorithmNamed(name);
  if (algorithm !== undefined && algorithmFits(algorithm, key)) return algorithm.name;
  throw new SpiffeError('unsupported-key', 'the algorithm does not belong to the key', { rule: 'WIT-H1' });
}

function unsupported(problem: string): SpiffeError {
  return new SpiffeError('unsupported-key', problem);
}
