import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';

/** Tokens are about workloads; a whole trust domain is none (JWT-H3). */
export function requireIssuable(id: SpiffeId): void {
  if (id.path !== '') return;
  throw new SpiffeError('invalid-id', 'no token is issued for a whole trust domain', { rule: 'JWT-H3' });
}

/** Whole Unix seconds, cut and never rounded up, so that a token does not outlive its limit. */
export function wholeSeconds(time: number): number {
  if (!Number.isFinite(time)) throw new TypeError('a time must be a number of Unix seconds');
  return Math.floor(time);
}
