import type { EntryFilter, IssuerError, RegistrationEntry } from '@steeple/core';
import type { Page, PageRequest } from './page.ts';

/** What became of one entry of a batch. */
export type CreatedEntry =
  | {
      /** The entry as stored, or, when `existed`, the one that stands with the same SPIFFE ID, parent and selectors. */
      readonly entry: RegistrationEntry;
      readonly existed: boolean;
      readonly error?: undefined;
    }
  | {
      readonly entry?: undefined;
      readonly existed: false;
      /** `already-exists` for a taken id; `invalid-argument` if a trust domain of `federatesWith` has no bundle. */
      readonly error: IssuerError;
    };

/** The registration entries. Each method is one transaction; a resolved promise means: on disk. */
export interface EntryStore {
  /**
   * Stores entries, each judged alone, in the order given. `createdAt` and `id` are the caller's; `revision` becomes 0.
   * Selectors are stored sorted and without duplicates, the order of DNS names is kept.
   */
  create(entries: readonly RegistrationEntry[]): Promise<readonly CreatedEntry[]>;
  /**
   * Replaces an entry by what `change` makes of it. `revision` rises by one even if nothing changed; `id` and
   * `createdAt` stay. May make a second entry with the same SPIFFE ID, parent and selectors. What `change` throws
   * comes through, with nothing stored.
   *
   * @throws {IssuerError} `not-found`; `invalid-argument` for a trust domain without a bundle.
   */
  update(id: string, change: (old: RegistrationEntry) => RegistrationEntry): Promise<RegistrationEntry>;
  /** Removes entries; the answer tells for each id whether it was there. */
  delete(ids: readonly string[]): Promise<readonly boolean[]>;
  get(id: string): Promise<RegistrationEntry | undefined>;
  /** What `matchesEntry` selects, in the order of creation. Empty sets in a filter are refused (`invalid-argument`). */
  list(query?: { readonly filter?: EntryFilter; readonly page?: PageRequest }): Promise<Page<RegistrationEntry>>;
  count(filter?: EntryFilter): Promise<number>;
  /** Removes entries with 0 < `expiresAt` < `before` (Unix seconds) and returns their ids. */
  pruneExpired(before: number): Promise<readonly string[]>;
}
