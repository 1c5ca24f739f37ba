import type { RegistrationEntry } from '@steeple/core';

export interface JoinToken {
  /** The secret itself. */
  readonly token: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** Single-use secrets for node attestation. Each method is one transaction. */
export interface JoinTokenStore {
  /**
   * Stores a token and, with it or not at all, the entry that gives its agent a second SPIFFE ID.
   *
   * @throws {IssuerError} `already-exists` if the token exists, or a similar entry does.
   */
  create(token: JoinToken, vanityEntry?: RegistrationEntry): Promise<void>;
  /**
   * Takes a token: of any number of callers with the same token at most one ever gets `ok`. An expired token is taken
   * as well, so that the next answer is `missing`.
   */
  consume(token: string, now: number): Promise<'ok' | 'missing' | 'expired'>;
  /** Removes tokens that expired at or before `now` and tells how many. */
  pruneExpired(now: number): Promise<number>;
}
