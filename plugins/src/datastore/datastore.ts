import type { AgentRecord, RegistrationEntry } from '@steeple/core';
import type { TrustBundle } from '@steeple/spiffe';
import type { AgentStore } from './agent-store.ts';
import type { AuditStore } from './audit-store.ts';
import type { AuthorityJournal } from './authority-journal.ts';
import type { BundleStore } from './bundle-store.ts';
import type { EntryStore } from './entry-store.ts';
import type { FederationStore } from './federation-store.ts';
import type { JoinTokenStore } from './join-token-store.ts';

/** The new state of what one transaction wrote, and the keys of what it removed. */
export interface Changed<T> {
  readonly put: readonly T[];
  readonly removed: readonly string[];
}

/** What one committed transaction changed; parts that it did not touch are empty. */
export interface StoreChange {
  /** Removed ones by entry id. */
  readonly entries: Changed<RegistrationEntry>;
  /** Removed ones by SPIFFE ID. A ban is a put with empty serials. */
  readonly agents: Changed<AgentRecord>;
  /** Removed ones by trust domain name. */
  readonly bundles: Changed<TrustBundle>;
}

/**
 * Everything the server must not forget, as small stores whose every method is one atomic step: no transaction ever
 * spans an `await` of the caller. Failures of the storage itself are IssuerErrors `internal`, the reason in `cause`.
 */
export interface Datastore extends AsyncDisposable {
  readonly entries: EntryStore;
  readonly agents: AgentStore;
  readonly joinTokens: JoinTokenStore;
  readonly bundles: BundleStore;
  readonly federation: FederationStore;
  readonly authorities: AuthorityJournal;
  readonly audit: AuditStore;
  /**
   * Calls the listener once per committed transaction that changed entries, agents or bundles, in the order of the
   * commits and before the promise of the method that made it resolves. Listeners must not throw; one that does is
   * logged and changes nothing. To build an index: watch first, then load.
   *
   * @returns a function that ends the watch
   */
  watch(listener: (change: StoreChange) => void): () => void;
}
