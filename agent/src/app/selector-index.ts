import { type AgentEntry, selectorKeys } from './agent-entry.ts';

interface Filed {
  readonly entry: AgentEntry;
  readonly keys: readonly string[];
  readonly anchor: string;
}

/**
 * Finds the entries whose selectors a workload has all of. Each entry is filed under one of its selectors, the one with
 * the fewest entries so far, so that a question costs as much as the workload has selectors, not as there are entries.
 */
export class SelectorIndex {
  readonly #filed = new Map<string, Filed>();
  readonly #byAnchor = new Map<string, Set<Filed>>();
  readonly #byType = new Map<string, Set<Filed>>();

  /** @returns the selector under which whoever may be concerned by the entry is found. */
  put(entry: AgentEntry): string | undefined {
    this.remove(entry.id);
    const keys = selectorKeys(entry.selectors);
    const anchor = this.#rarest(keys);
    // An entry without selectors would match everybody; it is for nobody.
    if (anchor === undefined) return undefined;
    const filed = { entry, keys, anchor };
    this.#filed.set(entry.id, filed);
    const shelf = this.#byAnchor.get(anchor) ?? new Set();
    this.#byAnchor.set(anchor, shelf.add(filed));
    for (const key of keys) this.#byType.set(typeOf(key), (this.#byType.get(typeOf(key)) ?? new Set()).add(filed));
    return anchor;
  }

  /** @returns the selector under which the entry was found until now. */
  remove(id: string): string | undefined {
    const filed = this.#filed.get(id);
    if (filed === undefined) return undefined;
    this.#filed.delete(id);
    const shelf = this.#byAnchor.get(filed.anchor);
    shelf?.delete(filed);
    if (shelf?.size === 0) this.#byAnchor.delete(filed.anchor);
    for (const key of filed.keys) this.#byType.get(typeOf(key))?.delete(filed);
    return filed.anchor;
  }

  anchorOf(id: string): string | undefined {
    return this.#filed.get(id)?.anchor;
  }

  /** The entries that a workload with exactly these selectors is entitled to, sorted by id. */
  matching(workload: ReadonlySet<string>): readonly AgentEntry[] {
    const found: AgentEntry[] = [];
    for (const key of workload) {
      for (const filed of this.#byAnchor.get(key) ?? []) {
        if (filed.keys.every((k) => workload.has(k))) found.push(filed.entry);
      }
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Whether an entry has selectors of these types and otherwise only such as the workload has. */
  couldMatch(workload: ReadonlySet<string>, types: ReadonlySet<string>): boolean {
    for (const type of types) {
      for (const { keys } of this.#byType.get(type) ?? []) {
        if (keys.every((key) => types.has(typeOf(key)) || workload.has(key))) return true;
      }
    }
    return false;
  }

  #rarest(keys: readonly string[]): string | undefined {
    let best: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const count = this.#byAnchor.get(key)?.size ?? 0;
      if (count < fewest) [best, fewest] = [key, count];
    }
    return best;
  }
}

/** A selector's type ends at its first colon. */
function typeOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}
