import { createPublicKey, type KeyObject } from 'node:crypto';
import { SpiffeError } from '../errors.ts';

const MIN_BITS = 2048;
const MAX_BITS = 8192;
/** Larger exponents are refused by other SPIFFE implementations and only make verification slow. */
const MAX_EXPONENT = 2n ** 31n - 1n;

/** Product of the odd primes below 752, the bound of the CA/Browser Forum's requirements for RSA keys. */
const SMALL_ODD_PRIMES = oddPrimesBelow(752).reduce((product, prime) => product * prime, 1n);

/** A key is examined once; the answer cannot change. */
const examined = new WeakMap<KeyObject, number>();

/**
 * Size in bits of an RSA key that can do its work: 2048 to 8192 bits, odd modulus without small factors, odd exponent of
 * at least 3.
 *
 * @throws SpiffeError `unsupported-key`
 */
export function requireSoundRsa(key: KeyObject): number {
  const known = examined.get(key);
  if (known !== undefined) return known;

  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (bits < MIN_BITS || bits > MAX_BITS) {
    throw new SpiffeError('unsupported-key', `RSA modulus of ${bits} bits is outside ${MIN_BITS} to ${MAX_BITS}`);
  }
  if (exponent < 3n || exponent > MAX_EXPONENT || exponent % 2n === 0n) {
    throw new SpiffeError('unsupported-key', 'RSA exponent is not an odd number from 3 to 2^31-1');
  }
  const modulus = modulusOf(key);
  if (modulus % 2n === 0n || greatestCommonDivisor(modulus, SMALL_ODD_PRIMES) !== 1n) {
    throw new SpiffeError('unsupported-key', 'RSA modulus has a small factor');
  }
  examined.set(key, bits);
  return bits;
}

function modulusOf(key: KeyObject): bigint {
  // Never export the private parts only to look at the modulus.
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const encoded = publicKey.export({ format: 'jwk' }).n ?? '';
  const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
  let digits = '0x0';
  for (let index = 0; index < binary.length; index++) digits += binary.charCodeAt(index).toString(16).padStart(2, '0');
  return BigInt(digits);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function oddPrimesBelow(limit: number): bigint[] {
  const primes: number[] = [];
  for (let candidate = 3; candidate < limit; candidate += 2) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes.map(BigInt);
}
