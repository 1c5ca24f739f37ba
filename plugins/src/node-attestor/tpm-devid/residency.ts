import { IssuerError } from '@steeple/core';
import { type Certificate, spkiOf } from '@steeple/spiffe';
import { ATTRIBUTE } from './tpm/algorithms.ts';
import { readCertification } from './tpm/attestation.ts';
import { hasAttributes, type PublicArea } from './tpm/public-area.ts';
import { readSignature, signatureHolds } from './tpm/signature.ts';

/** The three keys of a TPM, and what the attestation key says of the DevID key. */
export interface Residency {
  readonly devIdCertificate: Certificate;
  readonly devId: PublicArea;
  readonly endorsementCertificate: Certificate;
  readonly endorsement: PublicArea;
  readonly attestation: PublicArea;
  readonly certification: Uint8Array;
  readonly certificationSignature: Uint8Array;
}

/** Made by a TPM and unable to leave it. */
const BORN_AND_KEPT = ATTRIBUTE.fixedTpm | ATTRIBUTE.sensitiveDataOrigin;

/**
 * Whether the DevID key lives in the TPM where the attestation key lives, provided that this one lives in any TPM at all:
 * which the agent proves by activating a credential afterwards.
 *
 * @throws {IssuerError} `permission-denied`
 * @throws {TpmFormatError}
 */
export function requireResidency(residency: Residency): void {
  const { devId, endorsement, attestation } = residency;
  requireSameKey(endorsement, residency.endorsementCertificate, 'endorsement');
  requireAttributes(endorsement, 'endorsement key', { restricted: true, decrypt: true });
  // A key that signs anything could sign a certification that somebody made up.
  requireAttributes(attestation, 'attestation key', { restricted: true, sign: true });
  requireAttributes(devId, 'DevID key', { sign: true });
  requireSameKey(devId, residency.devIdCertificate, 'DevID');
  requireCertified(residency);
}

function requireSameKey({ key }: PublicArea, certificate: Certificate, which: string): void {
  if (Buffer.from(spkiOf(key)).equals(certificate.spki)) return;
  throw refused(`the ${which} certificate is for another key`);
}

type Ability = 'restricted' | 'decrypt' | 'sign';

function requireAttributes(area: PublicArea, what: string, abilities: Partial<Record<Ability, true>>): void {
  if (!hasAttributes(area, BORN_AND_KEPT)) throw refused(`the ${what} was not made by a TPM that keeps it`);
  for (const ability of Object.keys(abilities) as Ability[]) {
    if (!hasAttributes(area, ATTRIBUTE[ability])) throw refused(`the ${what} is not of the kind "${ability}"`);
  }
}

function requireCertified({ attestation, devId, certification, certificationSignature }: Residency): void {
  const { scheme, signature } = readSignature(certificationSignature);
  if (attestation.scheme?.algorithm !== scheme.algorithm || attestation.scheme.hash !== scheme.hash) {
    throw refused('the certification is not signed as the attestation key signs');
  }
  if (!signatureHolds(attestation.key, certification, signature)) {
    throw refused('the certification is not signed by the attestation key');
  }
  const { name } = readCertification(certification);
  if (!Buffer.from(name).equals(devId.name)) throw refused('the certification is about another key');
}

function refused(reason: string): IssuerError {
  return new IssuerError('permission-denied', `tpm_devid: ${reason}`);
}
