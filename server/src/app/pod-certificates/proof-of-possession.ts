import { constants, type KeyObject, verify } from 'node:crypto';
import { publicKeyFromSpki, SpiffeError } from '@steeple/spiffe';
import { Denial, type PodCertificateRequest } from './pod-certificate-request.ts';

/**
 * That who asks holds the private key: a signature over the pod's UID, by RSASSA-PSS with SHA-256, ECDSA with SHA-256, or
 * Ed25519. The API has checked it too; an object in it may have come another way.
 *
 * @throws {Denial}
 */
export function checkProofOfPossession({
  spki,
  podUid,
  proof,
}: Pick<PodCertificateRequest, 'spki' | 'podUid' | 'proof'>): void {
  const key = keyOf(spki);
  const data = Buffer.from(podUid, 'ascii');
  const isRsa = key.asymmetricKeyType === 'rsa';
  const options = isRsa
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
    : { key, dsaEncoding: 'der' as const };
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (isVerified(() => verify(digest, data, options, proof))) return;
  throw new Denial(
    'InvalidProofOfPossession',
    'spec.proofOfPossession is no signature of the pod UID by spec.pkixPublicKey',
  );
}

const keyOf = (spki: Uint8Array): KeyObject => {
  try {
    return publicKeyFromSpki(spki);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new Denial('UnsupportedKeyType', `${error.message}; use ECDSAP256, ECDSAP384, RSA3072, RSA4096 or ED25519`);
  }
};

const isVerified = (check: () => boolean): boolean => {
  try {
    return check();
  } catch {
    return false;
  }
};
