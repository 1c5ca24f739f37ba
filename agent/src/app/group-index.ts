import { SelectorGroup } from './selector-group.ts';

/** The groups of open streams, by selector: a changed entry concerns only groups that have its anchor selector. */
export class GroupIndex {
  readonly #groups = new Map<string, SelectorGroup>();
  readonly #bySelector = new Map<string, Set<SelectorGroup>>();

  get size(): number {
    return this.#groups.size;
  }

  /** The group with exactly these selectors; `keys` are sorted and without duplicates. */
  group(keys: readonly string[]): SelectorGroup {
    const name = JSON.stringify(keys);
    const found = this.#groups.get(name);
    if (found !== undefined) return found;
    const group = new SelectorGroup(name, new Set(keys));
    this.#groups.set(name, group);
    for (const key of keys) this.#bySelector.set(key, (this.#bySelector.get(key) ?? new Set()).add(group));
    return group;
  }

  forgetIfEmpty(group: SelectorGroup): void {
    if (!group.isEmpty || this.#groups.get(group.name) !== group) return;
    this.#groups.delete(group.name);
    for (const key of group.keys) {
      const sharing = this.#bySelector.get(key);
      sharing?.delete(group);
      if (sharing?.size === 0) this.#bySelector.delete(key);
    }
  }

  with(selector: string): Iterable<SelectorGroup> {
    return this.#bySelector.get(selector) ?? [];
  }

  all(): Iterable<SelectorGroup> {
    return this.#groups.values();
  }
}
