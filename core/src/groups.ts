/** Items by a key that many of them share; adding and removing one costs the same however many there are. */
export class Groups<T extends { readonly id: string }> {
  readonly #groups = new Map<string, Map<string, T>>();

  put(key: string, item: T): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new Map([[item.id, item]]));
    else group.set(item.id, item);
  }

  remove(key: string, id: string): void {
    const group = this.#groups.get(key);
    if (group?.delete(id) === true && group.size === 0) this.#groups.delete(key);
  }

  get(key: string): Iterable<T> {
    return this.#groups.get(key)?.values() ?? [];
  }
}
