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
  /** Which entries a pod has, by its UID. */
  readonly #byPod = new Map<string, Set<string>>();
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

  *ofPods(uids: Iterable<string>): Generator<readonly [key: string, entry: RegistrationEntry]> {
    for (const uid of uids) {
      for (const id of this.#byPod.get(uid) ?? []) {
        const own = this.#own.get(id);
        if (own) yield [own.key, own.entry];
      }
    }
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
    const gone = removed.filter((id) => this.#drop(id)).length;
    const came = put.filter((entry) => this.#put(entry)).length;
    if (gone + came + change.bundles.put.length > 0) this.#onChange();
  }

  #put(entry: RegistrationEntry): boolean {
    if (!isOwnEntryId(this.#prefix, entry.id)) return false;
    this.#drop(entry.id);
    this.#own.set(entry.id, { entry, key: similarityKey(entry) });
    const uid = podUidOf(entry);
    if (uid !== undefined) this.#byPod.set(uid, (this.#byPod.get(uid) ?? new Set()).add(entry.id));
    return true;
  }

  #drop(id: string): boolean {
    const own = this.#own.get(id);
    if (own === undefined) return false;
    const uid = podUidOf(own.entry) ?? '';
    const ofPod = this.#byPod.get(uid);
    ofPod?.delete(id);
    if (ofPod?.size === 0) this.#byPod.delete(uid);
    return this.#own.delete(id);
  }
}

const PREFIX = 'pod-uid:';

/** The pod that an entry is for, if it is for one. */
export const podUidOf = ({ selectors }: RegistrationEntry): string | undefined =>
  selectors.find(({ type, value }) => type === 'k8s' && value.startsWith(PREFIX))?.value.slice(PREFIX.length);
