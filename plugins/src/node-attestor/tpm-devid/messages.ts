import { IssuerError } from '@steeple/core';
import { type JsonValue, parseJson } from '@steeple/spiffe';
import { base64Of, bytesFromBase64 } from '../../base64.ts';
import { encodeMessage, member } from '../json-message.ts';

/** The server's nonce has this many bytes. Nothing else is signed, so no server gets a text of its choice signed. */
export const NONCE_BYTES = 32;

/** What an agent shows first. Keys are TPMT_PUBLIC structures, certificates DER. */
export interface Evidence {
  /** Leaf first. */
  readonly devIdCertificates: readonly Uint8Array[];
  readonly devIdPublic: Uint8Array;
  readonly endorsementCertificate: Uint8Array;
  readonly endorsementPublic: Uint8Array;
  readonly attestationPublic: Uint8Array;
  /** TPMS_ATTEST about the DevID key, and the TPMT_SIGNATURE of the attestation key over it. */
  readonly certification: Uint8Array;
  readonly certificationSignature: Uint8Array;
}

/** What the server asks: a signature over the nonce, and the secret in the credential. */
export interface Challenge {
  readonly nonce: Uint8Array;
  readonly credential: Uint8Array;
  readonly encryptedSeed: Uint8Array;
}

export interface Response {
  /** As in X.509: ECDSA in DER. */
  readonly signature: Uint8Array;
  readonly secret: Uint8Array;
}

const LIMITS = { maxBytes: 256 * 1024, maxDepth: 4 };
/** More than any TPM would take. */
const MAX_CHALLENGE_PART = 1024;

export function formatEvidence(evidence: Evidence): Uint8Array {
  return encodeMessage({
    DevIDCert: evidence.devIdCertificates.map(base64Of),
    DevIDPub: base64Of(evidence.devIdPublic),
    EKCert: base64Of(evidence.endorsementCertificate),
    EKPub: base64Of(evidence.endorsementPublic),
    AKPub: base64Of(evidence.attestationPublic),
    CertifiedDevID: base64Of(evidence.certification),
    CertificationSignature: base64Of(evidence.certificationSignature),
  });
}

/** @throws {IssuerError} `invalid-argument` naming what is missing */
export function parseEvidence(data: Uint8Array): Evidence {
  const given = decode(data, 'attestation data');
  const part = (name: string, what: string) => required(bytesFromBase64(member(given, name)), what);
  const list = member(given, 'DevIDCert');
  const certificates = Array.isArray(list) ? list.map(bytesFromBase64) : [];
  if (certificates.length === 0) throw invalid('no DevID certificate to attest');
  return {
    devIdCertificates: certificates.map((der) => required(der, 'DevID certificate')),
    attestationPublic: part('AKPub', 'attestation key public blob'),
    devIdPublic: part('DevIDPub', 'DevID key public blob'),
    endorsementCertificate: part('EKCert', 'endorsement certificate'),
    endorsementPublic: part('EKPub', 'endorsement key public blob'),
    certification: part('CertifiedDevID', 'certification of the DevID key'),
    certificationSignature: part('CertificationSignature', 'signature of the certification'),
  };
}

export function formatChallenge({ nonce, credential, encryptedSeed }: Challenge): Uint8Array {
  const activation = { Credential: base64Of(credential), Secret: base64Of(encryptedSeed) };
  return encodeMessage({ DevID: base64Of(nonce), CredActivation: activation });
}

/** @throws {IssuerError} `invalid-argument` */
export function parseChallenge(data: Uint8Array): Challenge {
  const given = decode(data, 'challenge');
  const nonce = bytesFromBase64(member(given, 'DevID'));
  if (nonce?.length !== NONCE_BYTES) throw invalid(`the server's nonce does not have ${NONCE_BYTES} bytes`);
  const activation = member(given, 'CredActivation');
  const part = (name: string) => {
    const bytes = required(bytesFromBase64(member(activation, name)), 'credential activation challenge');
    if (bytes.length > MAX_CHALLENGE_PART) throw invalid('the credential activation challenge is too long');
    return bytes;
  };
  return { nonce, credential: part('Credential'), encryptedSeed: part('Secret') };
}

export function formatResponse({ signature, secret }: Response): Uint8Array {
  return encodeMessage({ DevID: base64Of(signature), CredActivation: base64Of(secret) });
}

/** @throws {IssuerError} `invalid-argument` */
export function parseResponse(data: Uint8Array): Response {
  const given = decode(data, 'challenge response');
  return {
    signature: required(bytesFromBase64(member(given, 'DevID')), 'signature of the nonce'),
    secret: required(bytesFromBase64(member(given, 'CredActivation')), 'activated credential'),
  };
}

function decode(data: Uint8Array, what: string): JsonValue {
  try {
    return parseJson(data, LIMITS);
  } catch {
    throw invalid(`malformed ${what}`);
  }
}

function required(bytes: Uint8Array | undefined, what: string): Uint8Array {
  if (bytes === undefined || bytes.length === 0) throw invalid(`missing ${what}`);
  return bytes;
}

function invalid(message: string): IssuerError {
  return new IssuerError('invalid-argument', `tpm_devid: ${message}`);
}
