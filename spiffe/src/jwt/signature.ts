import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { type AlgorithmRow, algorithmFits } from './algorithm.ts';
import { derFromRaw, rawFromDer } from './raw-signature.ts';

/** A JWS signature with a key in this process (RFC 7518 sections 3.3 to 3.5). The key fits the algorithm. */
export function signWith(algorithm: AlgorithmRow, privateKey: KeyObject, data: Uint8Array): Uint8Array {
  if (algorithm.scheme === 'pss') return sign(algorithm.hash, data, pss(privateKey));
  const signature = sign(algorithm.hash, data, privateKey);
  return algorithm.scheme === 'ecdsa' ? rawFromDer(signature, algorithm.signatureBytes / 2) : signature;
}

/**
 * Whether the signature is right. False as well when key and algorithm do not belong together, and for an ECDSA signature
 * of any length but its own, so that DER or shortened forms are no second spelling.
 */
export function verifyWith(
  algorithm: AlgorithmRow,
  publicKey: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!algorithmFits(algorithm, publicKey)) return false;
  if (algorithm.scheme === 'pss') return verify(algorithm.hash, data, pss(publicKey), signature);
  if (algorithm.scheme === 'pkcs1') return verify(algorithm.hash, data, publicKey, signature);
  if (signature.length !== algorithm.signatureBytes) return false;
  return verify(algorithm.hash, data, publicKey, derFromRaw(signature));
}

function pss(key: KeyObject) {
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
