type Group<T> = T | Map<string, T>;

/**
 * Items by a key that many of them may share; adding and removing one costs the same however many there are. Of the very
 * many keys that one item has for itself, none costs a map of its own.
 */
export class Groups<T extends { readonly id: string }> {
  readonly #groups = new Map<string, Group<T>>();

  put(key: string, item: T): void {
    const group = this.#groups.get(key);
    if (group instanceof Map) group.set(item.id, item);
    else if (group === undefined || group.id === item.id) this.#groups.set(key, item);
    else
      this.#groups.set(
        key,
        new Map([
          [group.id, group],
          [item.id, item],
        ]),
      );
  }

  remove(key: string, id: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    if (!(group instanceof Map)) {
      if (group.id === id) this.#groups.delete(key);
    } else if (group.delete(id) && group.size === 0) {
      this.#groups.delete(key);
    }
  }

  get(key: string): Iterable<T> {
    const group = this.#groups.get(key);
    if (group === undefined) return [];
    return group instanceof Map ? group.values() : [group];
  }
}
