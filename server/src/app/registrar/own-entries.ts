import { isOwnEntryId, type RegistrationEntry, similarityKey } from '@steeple/core';
import type { Datastore, StoreChange } from '@steeple/plugins';

const PAGE = 1000;

interface Own {
  readonly key: string;
  readonly entry: RegistrationEntry;
}

/** The entries with the registrar's prefix, as they are stored, whoever changes them. */
export class OwnEntries implements Disposable {
  readonly #prefix: string;
  readonly #store: Pick<Datastore, 'entries' | 'watch'>;
  readonly #own = new Map<string, Own>();
  readonly #onChange: () => void;
  #end: () => void = () => {};
  /** Changes that came while the entries were read. */
  #early: StoreChange[] | undefined = [];

  constructor(prefix: string, store: Pick<Datastore, 'entries' | 'watch'>, onChange: () => void) {
    this.#prefix = prefix;
    this.#store = store;
    this.#onChange = onChange;
  }

  async load(): Promise<void> {
    // Watch first, then read: nothing can fall between.
    this.#end = this.#store.watch((change) => this.#apply(change));
    for (let token: string | undefined = ''; token !== undefined; ) {
      const { items, nextToken } = await this.#store.entries.list({ page: { size: PAGE, token } });
      for (const entry of items) this.#put(entry);
      token = nextToken === '' ? undefined : nextToken;
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.#apply(change);
  }

  *byKey(): Generator<readonly [key: string, entry: RegistrationEntry]> {
    for (const { key, entry } of this.#own.values()) yield [key, entry];
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #apply(change: StoreChange): void {
    if (this.#early) {
      this.#early.push(change);
      return;
    }
    const { put, removed } = change.entries;
    const gone = removed.filter((id) => this.#own.delete(id)).length;
    const came = put.filter((entry) => this.#put(entry)).length;
    if (gone + came + change.bundles.put.length > 0) this.#onChange();
  }

  #put(entry: RegistrationEntry): boolean {
    if (!isOwnEntryId(this.#prefix, entry.id)) return false;
    this.#own.set(entry.id, { entry, key: similarityKey(entry) });
    return true;
  }
}
