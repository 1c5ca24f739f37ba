import { idText, type WireId } from '../spiffe-id-flag.ts';
import { expiry } from './relative-time.ts';

interface Shown {
  readonly id?: WireId | undefined;
  readonly subject: string;
  readonly expiresAt: bigint;
}

/** The certificates of a process's own SVID, from leaf to root, as lines of details. */
export const chainLines = (chain: readonly Shown[], now: number): (readonly [name: string, value: string])[] =>
  chain.map(({ id, subject, expiresAt }, index) => [
    index === 0 ? 'own SVID' : 'signed by',
    `${id === undefined ? subject : idText(id)}, ${expiry(Number(expiresAt), now)}`,
  ]);
