import type { AuthoritySlots } from '@steeple/core';
import type { TrustBundle } from '@steeple/spiffe';
import type { BundleExpectation } from './bundle-store.ts';

/** What this server knows of its own signing authorities; the keys themselves are the key manager's. */
export interface AuthorityJournal {
  /** The slots as last saved; empty slots if never. */
  load(): Promise<AuthoritySlots>;
  /**
   * Replaces the slots and, in the same transaction, stores the bundle in which their authorities are published, so
   * that no authority can ever sign that nobody can verify.
   *
   * @throws {IssuerError} as `BundleStore.put` if `expected` does not hold; the slots are unchanged then.
   */
  save(slots: AuthoritySlots, bundle?: TrustBundle, expected?: BundleExpectation): Promise<void>;
}
