import { IssuerError } from '@steeple/core';
import type { TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { BundleDeleteMode, BundleExpectation, BundleStore } from '../bundle-store.ts';
import type { Page, PageRequest } from '../page.ts';
import { type BundleRow, findBundle, toBundle, upsertBundle } from './bundle-rows.ts';
import type { ChangeLog } from './change-log.ts';
import type { Database } from './database.ts';
import { deleteEntry } from './entries.ts';
import { type EntryRow, entriesOf } from './entry-rows.ts';
import { cutPage, pageWindow } from './paging.ts';

export class SqliteBundles implements BundleStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async get(trustDomain: TrustDomain): Promise<TrustBundle | undefined> {
    return findBundle(this.#db, trustDomain);
  }

  async put(bundle: TrustBundle, expected?: BundleExpectation): Promise<void> {
    await this.#db.write((changes) => putBundle(this.#db, bundle, expected, changes));
  }

  async update(trustDomain: TrustDomain, change: (old: TrustBundle | undefined) => TrustBundle): Promise<TrustBundle> {
    return this.#db.write((changes) => {
      const old = findBundle(this.#db, trustDomain);
      const next = change(old);
      if (!next.trustDomain.equals(trustDomain)) {
        throw new IssuerError('internal', 'a bundle cannot change its trust domain');
      }
      if (old === undefined || !next.equals(old)) putBundle(this.#db, next, undefined, changes);
      return next;
    });
  }

  async list(query: { readonly except?: TrustDomain; readonly page?: PageRequest } = {}): Promise<Page<TrustBundle>> {
    const window = pageWindow(query.page);
    const rows = this.#db.all<BundleRow>(
      'SELECT * FROM bundles WHERE row > ? AND trust_domain <> ? ORDER BY row LIMIT ?',
      [window.after, query.except?.name ?? '', window.limit],
    );
    return cutPage(rows, window, (kept) => kept.map(toBundle));
  }

  async count(): Promise<number> {
    return this.#db.get<{ n: number }>('SELECT count(*) AS n FROM bundles')?.n ?? 0;
  }

  async delete(trustDomain: TrustDomain, mode: BundleDeleteMode): Promise<void> {
    await this.#db.write((changes) => {
      release(this.#db, trustDomain, mode, changes);
      if (this.#db.run('DELETE FROM bundles WHERE trust_domain = ?', [trustDomain.name]) === 0) {
        throw new IssuerError('not-found', 'bundle not found');
      }
      changes.removeBundle(trustDomain.name);
    });
  }
}

/** Writes a bundle inside a transaction if the expectation holds. */
export function putBundle(
  db: Database,
  bundle: TrustBundle,
  expected: BundleExpectation | undefined,
  changes: ChangeLog,
): void {
  if (expected !== undefined) checkExpectation(findBundle(db, bundle.trustDomain), expected);
  upsertBundle(db, bundle);
  changes.putBundle(bundle);
}

function checkExpectation(stored: TrustBundle | undefined, expected: BundleExpectation): void {
  if (expected === 'absent') {
    if (stored !== undefined) throw new IssuerError('already-exists', 'bundle already exists');
    return;
  }
  if (stored === undefined) throw new IssuerError('not-found', 'bundle not found');
  if (expected !== 'present' && stored.sequence !== expected) {
    throw new IssuerError('failed-precondition', 'the bundle was changed by someone else');
  }
}

/** Frees a bundle from the entries that federate with it. */
function release(db: Database, trustDomain: TrustDomain, mode: BundleDeleteMode, changes: ChangeLog): void {
  const federating = db.all<EntryRow>(
    'SELECT * FROM entries WHERE row IN (SELECT owner FROM entry_federates_with WHERE member = ?) ORDER BY row',
    [trustDomain.name],
  );
  if (federating.length === 0) return;
  switch (mode) {
    case 'restrict': {
      const message = `datastore-sql: cannot delete bundle; federated with ${federating.length} registration entries`;
      throw new IssuerError('failed-precondition', message);
    }
    case 'delete':
      for (const { id } of federating) deleteEntry(db, id, changes);
      return;
    case 'dissociate':
      db.run('DELETE FROM entry_federates_with WHERE member = ?', [trustDomain.name]);
      // A new revision, or agents would go on handing out the bundle.
      for (const { row } of federating) db.run('UPDATE entries SET revision = revision + 1 WHERE row = ?', [row]);
      for (const old of entriesOf(db, federating)) changes.putEntry({ ...old, revision: old.revision + 1 });
  }
}
