import { IssuerError } from '@steeple/core';
import { type JsonValue, parseJson } from '@steeple/spiffe';
import { base64Of, bytesFromBase64 } from '../../base64.ts';
import { encodeMessage, member } from '../json-message.ts';

/** Both nonces have this many bytes. */
export const NONCE_BYTES = 32;

/** Which proof of possession a key can give. */
export type ProofKind = 'rsa' | 'ecdsa';

/** ECDSA numbers are big-endian without leading zero bytes. */
export type PossessionProof =
  | { readonly kind: 'rsa'; readonly nonce: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'ecdsa'; readonly nonce: Uint8Array; readonly r: Uint8Array; readonly s: Uint8Array };

const LIMITS = { maxBytes: 256 * 1024, maxDepth: 4 };
const EXPECTED = { rsa: 'rsa_signature', ecdsa: 'ecdsa_signature' } as const;

/** First message: `{"certificates":["<base64 DER of the leaf>","<of an intermediate>"…]}`. */
export function formatPayload(certificates: readonly Uint8Array[]): Uint8Array {
  return encodeMessage({ certificates: certificates.map(base64Of) });
}

/** @throws {IssuerError} `invalid-argument` */
export function parsePayload(data: Uint8Array): readonly Uint8Array[] {
  const list = member(decode(data, 'attestation data'), 'certificates');
  const certificates = Array.isArray(list) ? list.map(bytesFromBase64) : [];
  if (certificates.length === 0) throw malformed('attestation data');
  return certificates.map((der) => der ?? fail('attestation data'));
}

/** Server to agent: a nonce under the name of the proof that is asked for, null under the other. */
export function formatChallenge(kind: ProofKind, nonce: Uint8Array): Uint8Array {
  return encodeMessage(underName(kind, { nonce: base64Of(nonce) }));
}

/** @throws {IssuerError} `invalid-argument` if it does not ask for this kind of proof. */
export function parseChallenge(data: Uint8Array, kind: ProofKind): Uint8Array {
  const asked = member(decode(data, 'challenge'), EXPECTED[kind]);
  return requireNonce(bytesFromBase64(member(asked, 'nonce')), 'challenge');
}

/** Agent to server. */
export function formatResponse(proof: PossessionProof): Uint8Array {
  const nonce = base64Of(proof.nonce);
  const body =
    proof.kind === 'rsa'
      ? { nonce, signature: base64Of(proof.signature) }
      : { nonce, r: base64Of(proof.r), s: base64Of(proof.s) };
  return encodeMessage(underName(proof.kind, body));
}

/** @throws {IssuerError} `invalid-argument` if it is not a proof of this kind. */
export function parseResponse(data: Uint8Array, kind: ProofKind): PossessionProof {
  const what = 'challenge response';
  const given = member(decode(data, what), EXPECTED[kind]);
  const bytes = (name: string) => bytesFromBase64(member(given, name)) ?? fail(what);
  const nonce = requireNonce(bytes('nonce'), what);
  return kind === 'rsa'
    ? { kind, nonce, signature: bytes('signature') }
    : { kind, nonce, r: bytes('r'), s: bytes('s') };
}

/** The order of the two members is SPIRE's. */
function underName(kind: ProofKind, body: object): object {
  return { rsa_signature: kind === 'rsa' ? body : null, ecdsa_signature: kind === 'ecdsa' ? body : null };
}

function decode(data: Uint8Array, what: string): JsonValue {
  try {
    return parseJson(data, LIMITS);
  } catch {
    throw malformed(what);
  }
}

function requireNonce(nonce: Uint8Array | undefined, what: string): Uint8Array {
  return nonce?.length === NONCE_BYTES ? nonce : fail(what);
}

function fail(what: string): never {
  throw malformed(what);
}

function malformed(what: string): IssuerError {
  return new IssuerError('invalid-argument', `x509pop: malformed ${what}`);
}
