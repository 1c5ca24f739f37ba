import { decodeBase64, encodeBase64, encodeUtf8 } from '@steeple/spiffe';
import { type Sha256, sameBytes } from './hashing.ts';
import { refuse } from './refuse.ts';

/** A key that signs notes: a name and an Ed25519 public key (C2SP signed-note). */
export interface NoteKey {
  /** Without spaces and plus signs, such as `example.org/steeple/audit`. */
  readonly name: string;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Uint8Array;
}

/** Ed25519 (RFC 8032); this room has no cryptography of its own. */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

const ED25519 = 1;
const MOST_SIGNATURES = 64;
const KEY_NAME = /^[^\s+]+$/u;

/** What a key signs: the text with its last newline. */
export const signedBytes = (text: string): Uint8Array => encodeUtf8(text);

/** The note: its text, which ends in a newline, and the signature over {@link signedBytes}. */
export function formatNote(sha256: Sha256, text: string, key: NoteKey, signature: Uint8Array): string {
  const body = Uint8Array.of(...keyId(sha256, key), ...signature);
  return `${text}\n— ${key.name} ${encodeBase64(body)}\n`;
}

/**
 * The text of a note that this key has signed.
 *
 * @throws {LogError} if the note is malformed, this key has not signed it, or its signature is wrong
 */
export function openNote(sha256: Sha256, verify: VerifyEd25519, note: string, key: NoteKey): string {
  const { text, signatures } = parseNote(note);
  const id = keyId(sha256, key);
  const own = signatures.filter(({ name, bytes }) => name === key.name && sameBytes(bytes.subarray(0, 4), id));
  if (own.length === 0) refuse(`the note is not signed by ${key.name}`);
  if (!own.every(({ bytes }) => verify(key.publicKey, signedBytes(text), bytes.subarray(4))))
    refuse(`the signature of ${key.name} on the note is wrong`);
  return text;
}

/** A verifier key as one line of text, for configuration files. */
export function formatVerifierKey(sha256: Sha256, key: NoteKey): string {
  const id = [...keyId(sha256, key)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${key.name}+${id}+${encodeBase64(Uint8Array.of(ED25519, ...key.publicKey))}`;
}

/** @throws {LogError} if the text is no verifier key for Ed25519, or its parts do not belong together */
export function parseVerifierKey(sha256: Sha256, text: string): NoteKey {
  // The material is Base 64, which has plus signs of its own.
  const [, name = '', material = ''] = /^([^+]*)\+[0-9a-f]{8}\+(.*)$/u.exec(text) ?? [];
  const bytes = decodeBase64(material);
  if (!KEY_NAME.test(name) || bytes?.length !== 33 || bytes[0] !== ED25519) refuse('that is no Ed25519 verifier key');
  const key = { name, publicKey: bytes.subarray(1) };
  if (formatVerifierKey(sha256, key) !== text) refuse('the ID in the verifier key is not that of its key');
  return key;
}

function keyId(sha256: Sha256, { name, publicKey }: NoteKey): Uint8Array {
  return sha256(encodeUtf8(`${name}\n`), Uint8Array.of(ED25519), publicKey).subarray(0, 4);
}

interface Signature {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function parseNote(note: string): { readonly text: string; readonly signatures: readonly Signature[] } {
  if (Array.from(note).some((char) => char < ' ' && char !== '\n')) refuse('the note has control characters');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) refuse('the note has no signatures');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) refuse(`the note has more than ${MOST_SIGNATURES} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const [, name = '', body = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = decodeBase64(body);
  if (!KEY_NAME.test(name) || bytes === undefined || bytes.length < 5)
    refuse('the note has a malformed signature line');
  return { name, bytes };
}
