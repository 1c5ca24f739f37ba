import type { TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { Page, PageRequest } from './page.ts';

/** What happens to entries that federate with a deleted bundle's trust domain: refuse, delete them, or unlink them. */
export type BundleDeleteMode = 'restrict' | 'delete' | 'dissociate';

/** The state in which a bundle must be for a write to happen: not there, there, or there with this sequence. */
export type BundleExpectation = 'absent' | 'present' | bigint;

/** Trust bundles, the own one among them: the store does not know which it is. Each method is one transaction. */
export interface BundleStore {
  get(trustDomain: TrustDomain): Promise<TrustBundle | undefined>;
  /**
   * Stores a bundle as it is, sequence included.
   *
   * @throws {IssuerError} if an expectation fails: `already-exists`, `not-found`, or `failed-precondition` for another
   *   sequence.
   */
  put(bundle: TrustBundle, expected?: BundleExpectation): Promise<void>;
  /**
   * Read, change and write as one step; `change` must be pure and counts the sequence up itself. If it returns an equal
   * bundle nothing is written. What it throws comes through.
   */
  update(trustDomain: TrustDomain, change: (old: TrustBundle | undefined) => TrustBundle): Promise<TrustBundle>;
  /** Bundles but for one trust domain (usually the own). */
  list(query?: { readonly except?: TrustDomain; readonly page?: PageRequest }): Promise<Page<TrustBundle>>;
  count(): Promise<number>;
  /**
   * @throws {IssuerError} `not-found`; `failed-precondition` in mode `restrict` if entries federate with it.
   */
  delete(trustDomain: TrustDomain, mode: BundleDeleteMode): Promise<void>;
}
