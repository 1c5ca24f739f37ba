import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { NONCE_BYTES, type PossessionProof, type ProofKind } from './messages.ts';

/** Bytes of one coordinate per curve. */
const CURVE_BYTES: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

/** @throws {IssuerError} `invalid-argument` for a key the protocol has no proof for. */
export function proofKindOf(key: KeyObject): ProofKind {
  if (key.asymmetricKeyType === 'rsa') return 'rsa';
  if (key.asymmetricKeyType === 'ec') return 'ecdsa';
  throw new IssuerError('invalid-argument', 'x509pop: unsupported key type; RSA and ECDSA keys can be proven');
}

/**
 * Proves possession: a signature with SHA-256 over challenge nonce and own nonce, RSASSA-PSS or ECDSA. The own nonce keeps
 * the server from having a text of its choice signed.
 */
export function provePossession(privateKey: KeyObject, challenge: Uint8Array, nonce: Uint8Array): PossessionProof {
  const data = Buffer.concat([challenge, nonce]);
  if (proofKindOf(privateKey) === 'rsa') {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = constants.RSA_PSS_SALTLEN_MAX_SIGN;
    return { kind: 'rsa', nonce, signature: sign('sha256', data, { key: privateKey, padding, saltLength }) };
  }
  const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const half = signature.length / 2;
  return {
    kind: 'ecdsa',
    nonce,
    r: withoutLeadingZeros(signature.subarray(0, half)),
    s: withoutLeadingZeros(signature.subarray(half)),
  };
}

/** Whether the owner of the private key answered this challenge. */
export function possessionProven(publicKey: KeyObject, challenge: Uint8Array, proof: PossessionProof): boolean {
  if (challenge.length !== NONCE_BYTES || proof.nonce.length !== NONCE_BYTES) return false;
  const data = Buffer.concat([challenge, proof.nonce]);
  if (proof.kind === 'rsa') {
    if (publicKey.asymmetricKeyType !== 'rsa') return false;
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = constants.RSA_PSS_SALTLEN_AUTO;
    return verify('sha256', data, { key: publicKey, padding, saltLength }, proof.signature);
  }
  const size = CURVE_BYTES[publicKey.asymmetricKeyDetails?.namedCurve ?? ''];
  if (publicKey.asymmetricKeyType !== 'ec' || size === undefined) return false;
  const r = coordinate(proof.r, size);
  const s = coordinate(proof.s, size);
  if (r === undefined || s === undefined) return false;
  return verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.concat([r, s]));
}

/** The number in exactly `size` bytes, undefined if it has none or needs more. */
function coordinate(number: Uint8Array, size: number): Uint8Array | undefined {
  const significant = withoutLeadingZeros(number);
  if (significant.length === 0 || significant.length > size) return undefined;
  return Buffer.concat([Buffer.alloc(size - significant.length), significant]);
}

function withoutLeadingZeros(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? new Uint8Array() : number.subarray(first);
}
