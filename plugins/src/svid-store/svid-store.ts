import type { TrustBundle, X509Svid } from '@steeple/spiffe';

/** An X509-SVID with all that its user needs beside it. */
export interface StorableSvid {
  readonly svid: X509Svid;
  /** Of the SVID's own trust domain. */
  readonly bundle: TrustBundle;
  /** Of the trust domains that its entry federates with, as far as known. */
  readonly federatedBundles: readonly TrustBundle[];
}

/**
 * Keeps X509-SVIDs for workloads that cannot ask an agent. Where one goes is said by its entry's selectors, whose type is
 * the store's name and whose values are the metadata here.
 */
export interface SvidStore {
  /**
   * Puts an SVID in its place; what was there is replaced as a whole, so that nobody finds parts of two.
   *
   * @throws {IssuerError} `invalid-argument` if the metadata names no place, `internal` if it cannot be stored: what was
   *   there still is.
   */
  put(storable: StorableSvid, metadata: readonly string[]): Promise<void>;
  /**
   * Empties a place. It is no error if nothing is there.
   *
   * @throws {IssuerError} as `put`
   */
  remove(metadata: readonly string[]): Promise<void>;
}
