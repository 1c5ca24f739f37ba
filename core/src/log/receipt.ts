import { decodeBase64, encodeBase64 } from '@steeple/spiffe';
import type { Checkpoint } from './checkpoint.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { leafHash, type Sha256 } from './hashing.ts';
import { type NoteKey, openNote, type VerifyEd25519 } from './note.ts';
import { refuse } from './refuse.ts';
import { verifyInclusion } from './verify-proofs.ts';

/** Shows offline that an entry is in the log (C2SP tlog-proof). */
export interface Receipt {
  readonly index: number;
  /** The audit path, from the leaf upwards. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, as it is. */
  readonly checkpoint: string;
  /** Not authenticated by anything. */
  readonly extra?: Uint8Array | undefined;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
const INDEX = /^index (0|[1-9][0-9]{0,15})$/;

/** A path of this length belongs to a tree of more leaves than there can be. */
const LONGEST_PROOF = 63;

export function formatReceipt({ index, proof, checkpoint, extra }: Receipt): string {
  const extraLine = extra === undefined ? [] : [`extra ${encodeBase64(extra)}`];
  return [FIRST_LINE, ...extraLine, `index ${index}`, ...proof.map(encodeBase64), '', checkpoint].join('\n');
}

/** @throws {LogError} if the text is no receipt; nothing in it has been verified then or now */
export function parseReceipt(text: string): Receipt {
  const end = text.indexOf('\n\n');
  const [first, ...lines] = text.slice(0, Math.max(0, end)).split('\n');
  if (first !== FIRST_LINE) refuse(`the receipt does not begin with ${FIRST_LINE}`);
  const extra = lines[0]?.startsWith('extra ') ? readBytes(lines.shift()?.slice('extra '.length)) : undefined;
  const [, index] = INDEX.exec(lines.shift() ?? '') ?? [];
  if (index === undefined || !Number.isSafeInteger(Number(index))) refuse('the receipt has no index');
  if (lines.length > LONGEST_PROOF) refuse('the proof in the receipt is too long');
  return { index: Number(index), proof: lines.map(readHash), checkpoint: text.slice(end + 2), extra };
}

/**
 * Whether this entry is in the log that this key signs for; returns the checkpoint that says so.
 *
 * @throws {LogError} naming the step that failed
 */
export function verifyReceipt(
  sha256: Sha256,
  verify: VerifyEd25519,
  receipt: Receipt,
  entry: Uint8Array,
  key: NoteKey,
): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(sha256, verify, receipt.checkpoint, key));
  if (checkpoint.origin !== key.name) refuse(`the checkpoint is one of ${checkpoint.origin}, not of ${key.name}`);
  const leaf = { index: receipt.index, hash: leafHash(sha256, entry) };
  if (!verifyInclusion(sha256, checkpoint, leaf, receipt.proof)) refuse(`leaf ${receipt.index} is not this entry`);
  return checkpoint;
}

function readHash(text: string): Uint8Array {
  const hash = decodeBase64(text);
  return hash?.length === 32 ? hash : refuse('the receipt has a line in its proof that is no hash');
}

function readBytes(text = ''): Uint8Array {
  return decodeBase64(text) ?? refuse('the extra data of the receipt is not Base 64');
}
