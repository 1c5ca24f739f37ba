import { SpiffeError, type SpiffeErrorCode } from '../errors.ts';

/** The rows of the conformance tables that one kind of token is judged by. */
export interface TokenKind {
  readonly name: string;
  /** Code of every error that is not about trust, time or audience. */
  readonly code: SpiffeErrorCode;
  readonly shape: string;
  readonly algorithm: string;
  readonly claims: string;
  readonly subject: string;
  readonly keys: string;
  readonly signature: string;
  readonly expiryMissing: string;
  readonly expired: string;
  readonly notBefore: string;
}

export const JWT_SVID: TokenKind = {
  name: 'JWT-SVID',
  code: 'invalid-token',
  shape: 'JWT-17',
  algorithm: 'JWT-05',
  claims: 'JWT-H2',
  subject: 'JWT-08',
  keys: 'JWT-22',
  signature: 'JWT-25',
  expiryMissing: 'JWT-13',
  expired: 'JWT-15',
  notBefore: 'JWT-H2',
};

export const WIT_SVID: TokenKind = {
  name: 'WIT-SVID',
  code: 'invalid-token',
  shape: 'WIT-01',
  algorithm: 'WIT-07',
  claims: 'WIT-01',
  subject: 'WIT-10',
  keys: 'WIT-34',
  signature: 'ID-25',
  expiryMissing: 'WIT-17',
  expired: 'WIT-18',
  notBefore: 'WIT-20',
};

export const PROOF_TOKEN: TokenKind = {
  name: 'proof token',
  code: 'invalid-proof',
  shape: 'WIT-28',
  algorithm: 'WIT-28',
  claims: 'WIT-28',
  subject: 'WIT-28',
  keys: 'WIT-28',
  signature: 'WIT-28',
  expiryMissing: 'WIT-37',
  expired: 'WIT-37',
  notBefore: 'WIT-37',
};

/** An error about a token of that kind. `problem` never quotes the token. */
export function refused(kind: TokenKind, rule: string, problem: string, cause?: unknown): SpiffeError {
  return new SpiffeError(kind.code, `${kind.name}: ${problem}`, { rule, cause });
}
