import type { AgentRecord, RegistrationEntry } from '@steeple/core';

export interface JoinToken {
  /** The secret itself. */
  readonly token: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

export type JoinTokenState = 'ok' | 'missing' | 'expired';

/** Single-use secrets for node attestation. Each method is one transaction. */
export interface JoinTokenStore {
  /**
   * Stores a token and, with it or not at all, the entry that gives its agent a second SPIFFE ID.
   *
   * @throws {IssuerError} `already-exists` if the token exists, or a similar entry does.
   */
  create(token: JoinToken, vanityEntry?: RegistrationEntry): Promise<void>;
  /** What `consume` would answer now; takes nothing. */
  check(token: string, now: number): Promise<JoinTokenState>;
  /**
   * Takes a token: of any number of callers with the same token at most one ever gets `ok`. An expired token is taken
   * as well, so that the next answer is `missing`. With `ok`, and in the same step, the agent is written if one is given.
   *
   * @throws {IssuerError} as `AgentStore.save`; the token is still there then
   */
  consume(token: string, now: number, agent?: AgentRecord): Promise<JoinTokenState>;
  /** Removes tokens that expired at or before `now` and tells how many. */
  pruneExpired(now: number): Promise<number>;
}
