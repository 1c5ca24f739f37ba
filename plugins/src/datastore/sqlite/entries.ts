import { type EntryFilter, IssuerError, type RegistrationEntry } from '@steeple/core';
import type { CreatedEntry, EntryStore } from '../entry-store.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ChangeLog } from './change-log.ts';
import { Conditions } from './conditions.ts';
import type { Database } from './database.ts';
import { asStored, type EntryRow, entriesOf, findSimilar, insertEntry, replaceEntry } from './entry-rows.ts';
import { countRows, listRows } from './selection.ts';
import { selectorTexts } from './selector-text.ts';

export class SqliteEntries implements EntryStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async create(entries: readonly RegistrationEntry[]): Promise<readonly CreatedEntry[]> {
    return this.#db.write((changes) => entries.map((entry) => createEntry(this.#db, entry, changes)));
  }

  async update(id: string, change: (old: RegistrationEntry) => RegistrationEntry): Promise<RegistrationEntry> {
    return this.#db.write((changes) => {
      const row = this.#row(id);
      const old = row && entriesOf(this.#db, [row])[0];
      if (row === undefined || old === undefined) throw new IssuerError('not-found', 'datastore-sql: record not found');
      const next = { ...change(old), id, createdAt: old.createdAt, revision: old.revision + 1 };
      const stored = replaceEntry(this.#db, row.row, next);
      changes.putEntry(stored);
      return stored;
    });
  }

  async delete(ids: readonly string[]): Promise<readonly boolean[]> {
    return this.#db.write((changes) => ids.map((id) => deleteEntry(this.#db, id, changes)));
  }

  async get(id: string): Promise<RegistrationEntry | undefined> {
    const row = this.#row(id);
    return row && entriesOf(this.#db, [row])[0];
  }

  async list(
    query: { readonly filter?: EntryFilter; readonly page?: PageRequest } = {},
  ): Promise<Page<RegistrationEntry>> {
    const from = { table: 'entries' as const, where: conditions(query.filter), page: query.page };
    return listRows(this.#db, from, (rows) => entriesOf(this.#db, rows));
  }

  async count(filter?: EntryFilter): Promise<number> {
    return countRows(this.#db, 'entries', conditions(filter));
  }

  async pruneExpired(before: number): Promise<readonly string[]> {
    return this.#db.write((changes) => {
      const expired = this.#db.all<{ id: string }>(
        'SELECT id FROM entries WHERE expires_at > 0 AND expires_at < ? ORDER BY row',
        [before],
      );
      for (const { id } of expired) deleteEntry(this.#db, id, changes);
      return expired.map(({ id }) => id);
    });
  }

  #row(id: string): EntryRow | undefined {
    return this.#db.get<EntryRow>('SELECT * FROM entries WHERE id = ?', [id]);
  }
}

/** Stores one entry inside a transaction, unless it or a similar one stands; its own failures become its result. */
export function createEntry(db: Database, given: RegistrationEntry, changes: ChangeLog): CreatedEntry {
  const entry = asStored({ ...given, revision: 0 });
  const similar = findSimilar(db, entry);
  if (similar !== undefined) return { entry: similar, existed: true };
  if (db.get('SELECT 1 FROM entries WHERE id = ?', [entry.id]) !== undefined) {
    return { existed: false, error: new IssuerError('already-exists', 'an entry with this ID exists already') };
  }
  try {
    insertEntry(db, entry);
    changes.putEntry(entry);
    return { entry, existed: false };
  } catch (error) {
    // Refused before anything was written. A failure of the storage is not this entry's own: it ends the batch.
    if (error instanceof IssuerError && error.code === 'invalid-argument') return { existed: false, error };
    throw error;
  }
}

/** Removes one entry inside a transaction and tells whether it was there. */
export function deleteEntry(db: Database, id: string, changes: ChangeLog): boolean {
  if (db.run('DELETE FROM entries WHERE id = ?', [id]) === 0) return false;
  changes.removeEntry(id);
  return true;
}

function conditions(filter: EntryFilter = {}): Conditions {
  return (
    new Conditions()
      .equal('spiffe_id', filter.spiffeId?.toString())
      // Hidden from the planner where there is something better: one parent may have them all.
      .equal(filter.spiffeId === undefined ? 'parent_id' : '+parent_id', filter.parentId?.toString())
      .equal('hint', filter.hint)
      .equal('downstream', filter.downstream)
      .equal('admin', filter.admin)
      .members(
        'entry_selectors',
        filter.selectors && selectorTexts(filter.selectors.selectors),
        filter.selectors?.match,
        'empty selector set',
      )
      .members(
        'entry_federates_with',
        filter.federatesWith?.trustDomains,
        filter.federatesWith?.match,
        'empty trust domain set',
      )
  );
}
