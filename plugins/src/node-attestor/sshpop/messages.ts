import { createHash } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { type JsonValue, parseJson } from '@steeple/spiffe';
import { base64Of, bytesFromBase64 } from '../../base64.ts';
import { encodeMessage, member } from '../json-message.ts';
import type { SshSignature } from './signature.ts';

/** Both nonces have this many bytes. */
export const NONCE_BYTES = 32;

/** The agent's answer: a nonce of its own and a signature over both. */
export interface SshProof {
  readonly nonce: Uint8Array;
  readonly signature: SshSignature;
}

const LIMITS = { maxBytes: 64 * 1024, maxDepth: 4 };

/** First message: `{"Certificate":"<base64>"}`. */
export function formatPayload(certificate: Uint8Array): Uint8Array {
  return encodeMessage({ Certificate: base64Of(certificate) });
}

/** @throws {IssuerError} `invalid-argument` */
export function parsePayload(data: Uint8Array): Uint8Array {
  const certificate = bytesOf(decode(data, 'attestation data'), 'Certificate');
  if (certificate === undefined || certificate.length === 0) throw malformed('attestation data');
  return certificate;
}

/** Server to agent: `{"Nonce":"<base64>"}`. */
export function formatChallenge(nonce: Uint8Array): Uint8Array {
  return encodeMessage({ Nonce: base64Of(nonce) });
}

/** @throws {IssuerError} `invalid-argument` */
export function parseChallenge(data: Uint8Array): Uint8Array {
  return nonceOf(decode(data, 'challenge'), 'challenge');
}

/** Agent to server. The empty `Rest` is SPIRE's. */
export function formatResponse({ nonce, signature: { format, blob } }: SshProof): Uint8Array {
  return encodeMessage({ Nonce: base64Of(nonce), Signature: { Format: format, Blob: base64Of(blob), Rest: null } });
}

/** @throws {IssuerError} `invalid-argument` */
export function parseResponse(data: Uint8Array): SshProof {
  const what = 'challenge response';
  const value = decode(data, what);
  const signature = member(value, 'Signature');
  const format = member(signature, 'Format');
  const blob = bytesOf(signature, 'Blob');
  const rest = member(signature, 'Rest') ?? '';
  if (typeof format !== 'string' || blob === undefined || rest !== '') throw malformed(what);
  return { nonce: nonceOf(value, what), signature: { format, blob } };
}

/** What is signed: SHA-256 over both nonces. The own nonce keeps the server from having a text of its choice signed. */
export function textToSign(challenge: Uint8Array, own: Uint8Array): Uint8Array {
  return createHash('sha256').update(challenge).update(own).digest();
}

function decode(data: Uint8Array, what: string): JsonValue {
  try {
    return parseJson(data, LIMITS);
  } catch {
    throw malformed(what);
  }
}

function bytesOf(value: JsonValue | undefined, name: string): Uint8Array | undefined {
  return bytesFromBase64(member(value, name));
}

function nonceOf(value: JsonValue, what: string): Uint8Array {
  const nonce = bytesOf(value, 'Nonce');
  if (nonce?.length !== NONCE_BYTES) throw malformed(what);
  return nonce;
}

function malformed(what: string): IssuerError {
  return new IssuerError('invalid-argument', `sshpop: malformed ${what}`);
}
