import type { AgentEntry } from './agent-entry.ts';

export interface SvidDemandLimits {
  /** X509-SVIDs kept although nobody is subscribed to them; with more subscribed ones there are more. */
  readonly maxSize: number;
  /** Names of the SVID stores at hand. */
  readonly stores: ReadonlySet<string>;
}

/** What the demand depends on. */
export interface DemandState {
  readonly entries: ReadonlyMap<string, AgentEntry>;
  readonly inStock: (id: string) => boolean;
  /** Entries of which somebody asks for the X509-SVID. */
  readonly subscribed: () => ReadonlySet<string>;
}

/**
 * Which entries are to have an X509-SVID in stock.
 *
 * D1. Whoever subscribes gets one, however many that are.
 * D2. Without subscriber at most `maxSize` are kept: the last used ones, and those fetched in advance as long as there is
 *     room. An entry may be excluded from that.
 * D3. Entries for an SVID store count by themselves, and only if that store is at hand.
 */
export class SvidDemand {
  readonly #limits: SvidDemandLimits;
  /** When an entry was last subscribed to, as a running number. */
  readonly #used = new Map<string, number>();
  #uses = 0;

  constructor(limits: SvidDemandLimits) {
    this.#limits = limits;
  }

  /** Somebody subscribed to these. */
  use(entries: Iterable<AgentEntry>): void {
    for (const { id } of entries) this.#used.set(id, ++this.#uses);
  }

  forget(id: string): void {
    this.#used.delete(id);
  }

  /** The entries that are to have an SVID. */
  wanted({ entries, inStock, subscribed }: DemandState): readonly AgentEntry[] {
    const wanted: AgentEntry[] = [];
    const inAdvance: AgentEntry[] = [];
    let kept = 0;
    for (const entry of entries.values()) {
      if (entry.storeSvid) {
        if (this.#isStorable(entry)) wanted.push(entry); // D3
      } else if (subscribed().has(entry.id)) {
        wanted.push(entry); // D1
        kept++;
      } else if (!entry.disableX509SvidPrefetch) {
        if (inStock(entry.id)) {
          wanted.push(entry);
          kept++;
        } else {
          inAdvance.push(entry);
        }
      }
    }
    const room = this.#limits.maxSize - kept;
    if (room >= inAdvance.length) return [...wanted, ...inAdvance];
    return room <= 0 ? wanted : [...wanted, ...this.#lastUsed(inAdvance).slice(0, room)];
  }

  /** Those in stock that must go, so that no more than allowed are kept (D2). */
  surplus(stock: Iterable<string>, { entries, subscribed }: DemandState): readonly string[] {
    const unused: AgentEntry[] = [];
    let count = 0;
    for (const id of stock) {
      const entry = entries.get(id);
      if (entry === undefined || entry.storeSvid) continue;
      count++;
      if (!subscribed().has(id)) unused.push(entry);
    }
    const extra = count - this.#limits.maxSize;
    if (extra <= 0) return [];
    return this.#lastUsed(unused)
      .slice(Math.max(0, unused.length - extra))
      .map(({ id }) => id);
  }

  #lastUsed(entries: readonly AgentEntry[]): readonly AgentEntry[] {
    const used = ({ id }: AgentEntry) => this.#used.get(id) ?? 0;
    return entries.toSorted((a, b) => used(b) - used(a));
  }

  #isStorable({ selectors }: AgentEntry): boolean {
    return selectors.every(({ type }) => type === selectors[0]?.type && this.#limits.stores.has(type));
  }
}
