import type { Selector } from '@steeple/core';
import type { PeerCredentials } from '@steeple/daemon/listen';

/** Finds out what a local process is. */
export interface WorkloadAttestor {
  /** The type of every selector it returns. */
  readonly type: string;
  /**
   * Reads everything race-free: the peer is checked to be the same living process before and after, so that a
   * reused process id can never lend its facts to another process.
   *
   * @throws {IssuerError} `permission-denied` if the process is gone, `internal` if a fact could not be read; nothing is
   *   left out silently. The signal's reason if it is aborted.
   */
  attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]>;
}
