import { decodeBase64, encodeBase64 } from '@steeple/spiffe';
import { refuse } from './refuse.ts';
import type { TreeHead } from './verify-proofs.ts';

/** What a log says of itself at one moment (C2SP tlog-checkpoint). */
export interface Checkpoint extends TreeHead {
  /** The log's name, unlike that of any other. */
  readonly origin: string;
}

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/** The text that is signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/**
 * Reads the text of a note whose signature has been verified. Extension lines are passed over.
 *
 * @throws {LogError} if it is no checkpoint
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', hash = '', ...others] = text.split('\n');
  const root = decodeBase64(hash);
  if (origin === '') refuse('the checkpoint has no origin');
  if (!SIZE.test(size) || !Number.isSafeInteger(Number(size))) refuse('the checkpoint has no tree size');
  if (root?.length !== 32) refuse('the checkpoint has no root hash');
  if (others.pop() !== '' || others.includes('')) refuse('the checkpoint has an empty line');
  return { origin, size: Number(size), root };
}
