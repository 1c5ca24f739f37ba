import { IssuerError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** A secret that lets one agent attest once. */
export interface JoinToken {
  readonly token: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/**
 * Refuses a token that could not be the last segment of an agent's id. The message does not repeat the token.
 *
 * @throws {IssuerError} `invalid-argument`
 */
export function checkJoinToken(token: string): void {
  if (token === '') throw new IssuerError('invalid-argument', 'join token is empty');
  if (token.length > LIMITS.joinTokenBytes) {
    throw new IssuerError('invalid-argument', `join token is longer than ${LIMITS.joinTokenBytes} characters`);
  }
  if (/[^A-Za-z0-9_.-]/.test(token) || token === '.' || token === '..') {
    throw new IssuerError('invalid-argument', 'join token may hold only letters, digits, dots, dashes and underscores');
  }
}
