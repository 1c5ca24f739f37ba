import { IssuerError } from '@steeple/core';
import type { DevId } from './devid.ts';
import type { Challenge, Evidence, Response } from './messages.ts';
import { ALG } from './tpm/algorithms.ts';
import { ENDORSEMENT_CERTIFICATE, readNvCertificate } from './tpm/nv-certificate.ts';
import { readSignature, x509Signature } from './tpm/signature.ts';
import { ATTESTATION_KEY, ENDORSEMENT_KEY, STORAGE_ROOT_KEY } from './tpm/templates.ts';
import { ENDORSEMENT, type Loaded, OWNER, type Tpm } from './tpm/tpm.ts';

export interface Passwords {
  readonly owner: Uint8Array;
  readonly endorsement: Uint8Array;
  readonly devId: Uint8Array;
}

/** The keys as they can be loaded again: nothing stays in the TPM while the server thinks. */
export interface SavedKeys {
  readonly devId: Uint8Array;
  readonly attestation: Uint8Array;
  readonly endorsement: Uint8Array;
}

/**
 * Has the TPM certify the DevID key by a new attestation key.
 *
 * @throws {IssuerError} `failed-precondition` if the TPM has no endorsement certificate
 * @throws {TpmError} {TpmFormatError}
 */
export async function gatherEvidence(
  tpm: Tpm,
  devId: DevId,
  passwords: Passwords,
): Promise<{ readonly evidence: Evidence; readonly keys: SavedKeys }> {
  const endorsement = await endorsementKeyOf(tpm, passwords.endorsement);
  await using attestationKey = await newAttestationKey(tpm, passwords.owner);
  await using devIdKey = await loadDevIdKey(tpm, devId, passwords.owner);
  const certified = await tpm.certify(devIdKey, passwords.devId, attestationKey);
  return {
    evidence: {
      devIdCertificates: devId.certificates,
      devIdPublic: devId.publicArea.raw,
      endorsementCertificate: endorsement.certificate,
      endorsementPublic: endorsement.publicArea,
      attestationPublic: attestationKey.publicArea,
      certification: certified.attestation,
      certificationSignature: certified.signature,
    },
    keys: {
      devId: await tpm.saveContext(devIdKey),
      attestation: await tpm.saveContext(attestationKey),
      endorsement: endorsement.saved,
    },
  };
}

/** Signs the nonce with the DevID key and reveals the credential's secret. @throws {TpmError} {TpmFormatError} */
export async function solve(
  tpm: Tpm,
  keys: SavedKeys,
  challenge: Challenge,
  devId: DevId,
  passwords: Passwords,
): Promise<Response> {
  const signature = await signNonce(tpm, keys.devId, challenge.nonce, devId, passwords.devId);
  await using attestationKey = await tpm.loadContext(keys.attestation);
  await using endorsementKey = await tpm.loadContext(keys.endorsement);
  await using session = await tpm.endorsementSession(passwords.endorsement);
  const { credential, encryptedSeed } = challenge;
  const secret = await tpm.activateCredential(attestationKey, endorsementKey, session, credential, encryptedSeed);
  return { signature, secret };
}

async function signNonce(
  tpm: Tpm,
  saved: Uint8Array,
  nonce: Uint8Array,
  { publicArea }: DevId,
  password: Uint8Array,
): Promise<Uint8Array> {
  await using key = await tpm.loadContext(saved);
  const algorithm = publicArea.type === 'rsa' ? ALG.rsassa : ALG.ecdsa;
  const signed = await tpm.sign(key, password, { algorithm, hash: ALG.sha256 }, nonce);
  return x509Signature(readSignature(signed).signature);
}

interface EndorsementKey {
  readonly certificate: Uint8Array;
  readonly publicArea: Uint8Array;
  readonly saved: Uint8Array;
}

/** The RSA key first: SPIRE's server takes no other. */
async function endorsementKeyOf(tpm: Tpm, password: Uint8Array): Promise<EndorsementKey> {
  for (const kind of ['rsa', 'ecc'] as const) {
    const certificate = await readNvCertificate(tpm, ENDORSEMENT_CERTIFICATE[kind]);
    if (certificate === undefined) continue;
    await using key = await tpm.createPrimary(ENDORSEMENT, password, ENDORSEMENT_KEY[kind]);
    return { certificate, publicArea: key.publicArea, saved: await tpm.saveContext(key) };
  }
  const where = Object.values(ENDORSEMENT_CERTIFICATE).map((index) => `0x${index.toString(16).padStart(8, '0')}`);
  const message = `tpm_devid: the TPM holds no endorsement certificate at NV index ${where.join(' or ')}`;
  throw new IssuerError('failed-precondition', message);
}

async function newAttestationKey(tpm: Tpm, owner: Uint8Array): Promise<Loaded & { readonly publicArea: Uint8Array }> {
  await using parent = await tpm.createPrimary(OWNER, owner, STORAGE_ROOT_KEY.rsa);
  const blobs = await tpm.create(parent, ATTESTATION_KEY);
  return { ...(await tpm.load(parent, blobs)), publicArea: blobs.publicArea };
}

/** A DevID key's parent is of its own kind. */
async function loadDevIdKey(tpm: Tpm, { publicArea, privateBlob }: DevId, owner: Uint8Array): Promise<Loaded> {
  await using parent = await tpm.createPrimary(OWNER, owner, STORAGE_ROOT_KEY[publicArea.type]);
  return await tpm.load(parent, { publicArea: publicArea.raw, privateBlob });
}
