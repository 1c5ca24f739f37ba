import { formatSelector, type Selector, selectorSet } from './selector.ts';

/** Something with a unique id that applies to whoever has all of its selectors. */
export interface Selected {
  readonly id: string;
  readonly selectors: readonly Selector[];
}

/**
 * Finds the items whose selectors are all among some given ones, without looking at every item: each item is filed under
 * one of its selectors, the one with the fewest items so far.
 */
export class SelectorIndex<T extends Selected> {
  readonly #buckets = new Map<string, Map<string, T>>();
  readonly #keyOf = new Map<string, string>();

  get size(): number {
    return this.#keyOf.size;
  }

  /** Adds or replaces the item of that id. An item without selectors applies to nobody. */
  put(item: T): void {
    this.remove(item.id);
    const key = this.#rarest(item.selectors);
    if (key === undefined) return;
    const bucket = this.#buckets.get(key) ?? new Map<string, T>();
    this.#buckets.set(key, bucket.set(item.id, item));
    this.#keyOf.set(item.id, key);
  }

  remove(id: string): void {
    const key = this.#keyOf.get(id);
    if (key === undefined) return;
    this.#keyOf.delete(id);
    const bucket = this.#buckets.get(key);
    bucket?.delete(id);
    if (bucket?.size === 0) this.#buckets.delete(key);
  }

  /** The items whose selectors are a subset of these. */
  matching(selectors: readonly Selector[]): T[] {
    const have = selectorSet(selectors);
    const found: T[] = [];
    for (const key of have) {
      for (const item of this.#buckets.get(key)?.values() ?? []) {
        if (item.selectors.every((s) => have.has(formatSelector(s)))) found.push(item);
      }
    }
    return found;
  }

  #rarest(selectors: readonly Selector[]): string | undefined {
    let best: { readonly key: string; readonly size: number } | undefined;
    for (const key of selectors.map(formatSelector)) {
      const size = this.#buckets.get(key)?.size ?? 0;
      if (best === undefined || size < best.size) best = { key, size };
    }
    return best?.key;
  }
}
