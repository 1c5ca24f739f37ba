import {
  type AgentRecord,
  concerns,
  type EntryReach,
  IssuerError,
  isBanned,
  isSubset,
  type RegistrationEntry,
  type Selector,
} from '@steeple/core';
import type { TrustBundle } from '@steeple/spiffe';

/**
 * In-process news for the agents that hold a stream to this server.
 *
 * 1. A watcher sees every change published after `open` returned; nothing in between is lost.
 * 2. What waits for a slow watcher is bounded: later news of one entry or bundle replaces earlier news of it, and
 *    beyond `capacity` entries everything waiting is replaced by one `resync`.
 * 3. After its agent was banned or evicted a watcher yields nothing more, whatever was waiting.
 */
export interface EntryChange {
  readonly id: string;
  /** Undefined when the entry is gone. */
  readonly entry: RegistrationEntry | undefined;
  /** Whom the entry concerned before the change, and whom it concerns now. */
  readonly before: EntryReach;
  readonly after: EntryReach;
  /** The change may have moved other entries into or out of an agent's sight, so naming this one is not enough. */
  readonly structural: boolean;
}

export type WatchEvent =
  | {
      readonly kind: 'changes';
      readonly entries: RegistrationEntry[];
      readonly removed: string[];
      readonly bundles: TrustBundle[];
    }
  | { readonly kind: 'resync' };

/** Nobody. */
export const NO_REACH: EntryReach = { paths: new Set(), aliases: [] };

export class ChangeFeed {
  readonly #watchers = new Set<Watcher>();
  readonly #capacity: number;

  constructor(capacity = 1000) {
    this.#capacity = capacity;
  }

  /** Starts watching for one agent. Close the watcher when done. */
  open(agent: Pick<AgentRecord, 'id' | 'selectors'>): Watcher {
    const watcher = new Watcher(agent, this.#capacity, () => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    return watcher;
  }

  entryChanged(change: EntryChange): void {
    for (const watcher of this.#watchers) {
      const now = watcher.isConcernedBy(change.after);
      if (!now && !watcher.isConcernedBy(change.before)) continue;
      if (change.structural) watcher.resync();
      else watcher.entry(change.id, now ? change.entry : undefined);
    }
  }

  bundleChanged(bundle: TrustBundle): void {
    for (const watcher of this.#watchers) watcher.bundle(bundle);
  }

  /** For a change that is easier fetched again than told. */
  resyncAll(): void {
    for (const watcher of this.#watchers) watcher.resync();
  }

  /** A ban ends the agent's watchers; other selectors mean other entries. */
  agentChanged(agent: AgentRecord): void {
    for (const watcher of this.#of(agent.id.toString())) {
      if (isBanned(agent)) watcher.end('banned');
      else watcher.reselect(agent.selectors);
    }
  }

  agentRemoved(agentId: string): void {
    for (const watcher of this.#of(agentId)) watcher.end('not-attested');
  }

  get watching(): number {
    return this.#watchers.size;
  }

  #of(agentId: string): Watcher[] {
    return [...this.#watchers].filter((watcher) => watcher.agentId === agentId);
  }
}

export class Watcher {
  readonly agentId: string;
  readonly #path: string;
  readonly #capacity: number;
  readonly #onClose: () => void;
  #selectors: readonly Selector[];
  #entries = new Map<string, RegistrationEntry | undefined>();
  #bundles = new Map<string, TrustBundle>();
  #resync = false;
  #ended: 'banned' | 'not-attested' | undefined;
  #wake: (() => void) | undefined;

  constructor(agent: Pick<AgentRecord, 'id' | 'selectors'>, capacity: number, onClose: () => void) {
    this.agentId = agent.id.toString();
    this.#path = agent.id.path;
    this.#selectors = agent.selectors;
    this.#capacity = capacity;
    this.#onClose = onClose;
  }

  isConcernedBy(reach: EntryReach): boolean {
    return concerns(reach, this.#path, this.#selectors);
  }

  reselect(selectors: readonly Selector[]): void {
    const same = selectors.length === this.#selectors.length && isSubset(selectors, this.#selectors);
    this.#selectors = selectors;
    if (!same) this.resync();
  }

  entry(id: string, entry: RegistrationEntry | undefined): void {
    if (this.#resync) return;
    this.#entries.set(id, entry);
    if (this.#entries.size > this.#capacity) this.resync();
    else this.#wake?.();
  }

  bundle(bundle: TrustBundle): void {
    if (this.#resync) return;
    this.#bundles.set(bundle.trustDomain.name, bundle);
    if (this.#bundles.size > this.#capacity) this.resync();
    else this.#wake?.();
  }

  resync(): void {
    this.#resync = true;
    this.#entries.clear();
    this.#bundles.clear();
    this.#wake?.();
  }

  end(reason: 'banned' | 'not-attested'): void {
    this.#ended = reason;
    this.#wake?.();
  }

  close(): void {
    this.#onClose();
  }

  /**
   * The news so far in one event, or the first to come. Undefined when `signal` aborted.
   * Throws permission-denied with the agent's reason once the agent is banned or evicted.
   */
  async next(signal: AbortSignal): Promise<WatchEvent | undefined> {
    while (!signal.aborted) {
      if (this.#ended) throw refused(this.#ended);
      const event = this.#take();
      if (event) return event;
      await this.#woken(signal);
    }
    return undefined;
  }

  #take(): WatchEvent | undefined {
    if (this.#resync) {
      this.#resync = false;
      return { kind: 'resync' };
    }
    if (this.#entries.size === 0 && this.#bundles.size === 0) return undefined;
    const removed: string[] = [];
    const entries: RegistrationEntry[] = [];
    for (const [id, entry] of this.#entries) {
      if (entry) entries.push(entry);
      else removed.push(id);
    }
    const bundles = [...this.#bundles.values()];
    this.#entries = new Map();
    this.#bundles = new Map();
    return { kind: 'changes', entries, removed, bundles };
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

const refused = (reason: 'banned' | 'not-attested'): IssuerError =>
  new IssuerError('permission-denied', reason === 'banned' ? 'agent is banned' : 'agent is not attested', {
    agentReason: reason,
  });
