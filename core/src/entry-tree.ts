import type { TrustDomain } from '@steeple/spiffe';
import { SERVER_PATH } from './agent-id.ts';
import type { RegistrationEntry } from './entry.ts';
import { Groups } from './groups.ts';
import { isSubset, type Selector } from './selector.ts';
import { SelectorIndex } from './selector-index.ts';

/** Which agents a change of an entry concerns. */
export interface EntryReach {
  /** Paths above the entry, among them those of agents. */
  readonly paths: ReadonlySet<string>;
  /** Node aliases above the entry: they stand for the agents that have their selectors. */
  readonly aliases: readonly RegistrationEntry[];
}

/**
 * All registration entries, arranged to answer which of them an agent may have.
 *
 * An agent is authorized for the entries whose parent is the agent, an alias of the agent, or the id of an entry it is
 * authorized for. An alias is an entry whose parent is the server itself; it stands for the agents that have all its
 * selectors, and is not handed out. Entries that leave the trust domain are kept but never answer.
 */
export class EntryTree {
  readonly #trustDomain: TrustDomain;
  readonly #byId = new Map<string, RegistrationEntry>();
  readonly #byParent = new Groups<RegistrationEntry>();
  readonly #bySpiffeId = new Groups<RegistrationEntry>();
  readonly #aliasesBySpiffeId = new Groups<RegistrationEntry>();
  readonly #aliases = new SelectorIndex<RegistrationEntry>();

  constructor(trustDomain: TrustDomain, entries: Iterable<RegistrationEntry> = []) {
    this.#trustDomain = trustDomain;
    for (const entry of entries) this.put(entry);
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): RegistrationEntry | undefined {
    return this.#byId.get(id);
  }

  /** Every entry, in the order of insertion. */
  entries(): IterableIterator<RegistrationEntry> {
    return this.#byId.values();
  }

  /** Adds or replaces the entry of that id, and returns the one it replaced. */
  put(entry: RegistrationEntry): RegistrationEntry | undefined {
    const old = this.remove(entry.id);
    this.#byId.set(entry.id, entry);
    if (!this.#isNative(entry)) return old;
    if (isAlias(entry)) {
      this.#aliases.put(entry);
      this.#aliasesBySpiffeId.put(entry.spiffeId.path, entry);
    } else {
      this.#byParent.put(entry.parentId.path, entry);
      this.#bySpiffeId.put(entry.spiffeId.path, entry);
    }
    return old;
  }

  /** Takes an entry out and returns it, if it was there. */
  remove(id: string): RegistrationEntry | undefined {
    const entry = this.#byId.get(id);
    if (entry === undefined) return undefined;
    this.#byId.delete(id);
    this.#aliases.remove(id);
    this.#aliasesBySpiffeId.remove(entry.spiffeId.path, id);
    this.#byParent.remove(entry.parentId.path, id);
    this.#bySpiffeId.remove(entry.spiffeId.path, id);
    return entry;
  }

  /** The entries an agent is authorized for, each once, in no particular order. Expiry is not looked at. */
  authorized(agentPath: string, agentSelectors: readonly Selector[]): RegistrationEntry[] {
    const aliasPaths = this.#aliases.matching(agentSelectors).map((alias) => alias.spiffeId.path);
    const visited = new Set([agentPath, ...aliasPaths]);
    const found: RegistrationEntry[] = [];
    // A set may grow while it is walked, and then also yields the new members.
    for (const path of visited) {
      for (const entry of this.#byParent.get(path)) {
        found.push(entry);
        visited.add(entry.spiffeId.path);
      }
    }
    return found;
  }

  /** The entry of that id if the agent is authorized for it: the same answer as {@link authorized}, without the walk. */
  authorizedEntry(agentPath: string, agentSelectors: readonly Selector[], id: string): RegistrationEntry | undefined {
    const entry = this.#byId.get(id);
    if (entry === undefined || !this.#isNative(entry) || isAlias(entry)) return undefined;
    return concerns(this.reach(entry), agentPath, agentSelectors) ? entry : undefined;
  }

  /**
   * Who is concerned when this entry comes, changes or goes. For a change, ask about the old and the new state. The entry
   * need not be in the tree.
   */
  reach(entry: RegistrationEntry): EntryReach {
    if (!this.#isNative(entry)) return { paths: new Set(), aliases: [] };
    if (isAlias(entry)) return { paths: new Set(), aliases: [entry] };
    const paths = new Set([entry.parentId.path]);
    const aliases: RegistrationEntry[] = [];
    for (const path of paths) {
      aliases.push(...this.#aliasesBySpiffeId.get(path));
      for (const above of this.#bySpiffeId.get(path)) paths.add(above.parentId.path);
    }
    return { paths, aliases };
  }

  #isNative(entry: RegistrationEntry): boolean {
    return entry.spiffeId.memberOf(this.#trustDomain) && entry.parentId.memberOf(this.#trustDomain);
  }
}

/** Whether an agent is among those a change concerns. Its selectors may be given as a `selectorSet`. */
export function concerns(
  reach: EntryReach,
  agentPath: string,
  agentSelectors: readonly Selector[] | ReadonlySet<string>,
): boolean {
  if (reach.paths.has(agentPath)) return true;
  return reach.aliases.some((alias) => alias.selectors.length > 0 && isSubset(alias.selectors, agentSelectors));
}

/** Whether an entry names a group of nodes instead of a workload. */
export function isAlias(entry: Pick<RegistrationEntry, 'parentId'>): boolean {
  return entry.parentId.path === SERVER_PATH;
}
