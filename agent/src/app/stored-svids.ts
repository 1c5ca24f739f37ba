import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IssuerError, type Selector } from '@steeple/core';
import { type Clock, type Logger, writeFileAtomic } from '@steeple/daemon';
import type { StorableSvid, SvidStore } from '@steeple/plugins';
import { backoff } from '@steeple/proto/grpc';
import { parseJson } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';
import type { IdentityCache } from './identity-cache.ts';
import { WakeUp } from './wake-up.ts';

export interface StoredSvidsParts {
  readonly stores: ReadonlyMap<string, SvidStore>;
  readonly cache: Pick<IdentityCache, 'synced' | 'entries' | 'onWork' | 'storable'>;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Where an entry's SVID goes. */
interface Place {
  readonly store: string;
  readonly metadata: readonly string[];
}

interface Held {
  readonly place: Place;
  /** What was put there in this run. */
  readonly put?: StorableSvid;
}

const RETRY = { initial: 1, max: 60, multiplier: 2, jitter: 0.1 };
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 6 };

/**
 * Brings the SVIDs of entries for stores to their stores, and takes them away again.
 *
 * T1. What was put somewhere is noted on disk before it is put, so that it is also taken away when its entry went while the
 *     agent was down.
 * T2. Nothing is taken away before the server's first complete answer.
 * T3. A place belongs to one entry, the one that came first by id; others are named in the log.
 * T4. One place that fails keeps no other waiting, and is tried again.
 */
export class StoredSvids {
  readonly #parts: StoredSvidsParts;
  readonly #path: string;
  readonly #wake: WakeUp;
  #held = new Map<string, Held>();
  readonly #complained = new Set<string>();
  #failures = 0;

  constructor(parts: StoredSvidsParts) {
    this.#parts = parts;
    this.#path = join(parts.dataDir, 'stored-svids.json');
    this.#wake = new WakeUp(parts.clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { cache, random } = this.#parts;
    await this.#restore();
    const unlisten = cache.onWork(() => this.#wake.nudge());
    try {
      while (!signal.aborted) {
        const done = await this.once();
        this.#failures = done ? 0 : this.#failures + 1;
        await this.#wake.nap(done ? 3600 : backoff(this.#failures, random(), RETRY), signal);
      }
    } finally {
      unlisten();
    }
  }

  /** Does what is to do now; tells whether all of it succeeded. */
  async once(): Promise<boolean> {
    const { cache } = this.#parts;
    if (!cache.synced) return true; // T2
    let good = true;
    for (const [id, { place }] of this.#held) {
      const entry = cache.entries.get(id);
      const wanted = entry?.storeSvid === true ? placeOf(entry.selectors) : undefined;
      if (wanted !== undefined && sameText(wanted) === sameText(place)) continue;
      good = (await this.#take(id, place)) && good;
    }
    for (const [entry, storable] of cache.storable()) good = (await this.#put(entry, storable)) && good;
    return good;
  }

  async #put(entry: AgentEntry, storable: StorableSvid): Promise<boolean> {
    const place = placeOf(entry.selectors);
    const store = place && this.#parts.stores.get(place.store);
    if (place === undefined || store === undefined) return true;
    const held = this.#held.get(entry.id);
    if (held?.put !== undefined && sameStorable(held.put, storable)) return true;
    // Its old place could not be emptied yet.
    if (held !== undefined && sameText(held.place) !== sameText(place)) return false;
    const owner = this.#ownerOf(place);
    if (owner !== undefined && owner !== entry.id) {
      this.#complainOnce(entry, `the place belongs to the entry ${owner} already`);
      return true; // T3
    }
    return this.#attempt(entry, 'Could not store an X509-SVID', async () => {
      if (held === undefined) await this.#note(entry.id, { place }); // T1
      await store.put(storable, place.metadata);
      this.#held.set(entry.id, { place, put: storable });
      this.#parts.logger.debug('X509-SVID stored', fieldsOf(entry, place));
    });
  }

  async #take(id: string, place: Place): Promise<boolean> {
    const { stores, logger } = this.#parts;
    const store = stores.get(place.store);
    // A store that is configured no more may come back.
    if (store === undefined) return true;
    const took = await this.#attempt({ id }, 'Could not remove a stored X509-SVID', async () => {
      await store.remove(place.metadata);
      logger.info('Stored X509-SVID removed', { entry: id, store: place.store });
    });
    if (took) await this.#note(id, undefined);
    return took;
  }

  /** T4; what the store will never take is no failure that time could mend. */
  async #attempt(entry: Pick<AgentEntry, 'id'>, complaint: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#complained.delete(entry.id);
      return true;
    } catch (error) {
      if (error instanceof IssuerError && error.code === 'invalid-argument') {
        this.#complainOnce(entry, error.message);
        return true;
      }
      this.#parts.logger.error(complaint, { entry: entry.id, error });
      return false;
    }
  }

  #complainOnce({ id }: Pick<AgentEntry, 'id'>, reason: string): void {
    if (this.#complained.has(id)) return;
    this.#complained.add(id);
    this.#parts.logger.error('The X509-SVID of an entry is not stored', { entry: id, reason });
  }

  #ownerOf(place: Place): string | undefined {
    const text = sameText(place);
    for (const [id, held] of this.#held) if (sameText(held.place) === text) return id;
    return undefined;
  }

  async #note(id: string, held: Held | undefined): Promise<void> {
    const next = new Map(this.#held);
    if (held === undefined) next.delete(id);
    else next.set(id, held);
    const text = JSON.stringify(Object.fromEntries([...next].map(([entry, { place }]) => [entry, place])));
    await writeFileAtomic(this.#path, text, { mode: 0o600 });
    this.#held = next;
  }

  async #restore(): Promise<void> {
    try {
      const stored: unknown = parseJson(await readFile(this.#path, 'utf8'), LIMITS);
      const places = Object.entries(stored as Record<string, unknown>);
      this.#held = new Map(places.map(([id, place]) => [id, { place: readPlace(place) }]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#parts.logger.warn('What earlier runs stored is not known', { file: this.#path, error });
    }
  }
}

function readPlace(value: unknown): Place {
  const { store, metadata } = value as Record<string, unknown>;
  if (typeof store !== 'string' || !Array.isArray(metadata)) throw new Error('a place is none');
  return { store, metadata: metadata.map(String) };
}

/** Undefined unless all selectors are of one type. */
function placeOf(selectors: readonly Selector[]): Place | undefined {
  const [first] = selectors;
  if (first === undefined || selectors.some(({ type }) => type !== first.type)) return undefined;
  return { store: first.type, metadata: selectors.map(({ value }) => value).toSorted() };
}

function sameText({ store, metadata }: Place): string {
  return JSON.stringify([store, ...metadata]);
}

function sameStorable(a: StorableSvid, b: StorableSvid): boolean {
  return (
    a.svid === b.svid &&
    a.bundle === b.bundle &&
    a.federatedBundles.length === b.federatedBundles.length &&
    a.federatedBundles.every((bundle, index) => bundle === b.federatedBundles[index])
  );
}

function fieldsOf(entry: AgentEntry, { store }: Place): Record<string, string> {
  return { entry: entry.id, spiffeId: entry.spiffeId.toString(), store };
}
