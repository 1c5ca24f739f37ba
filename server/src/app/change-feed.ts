import { type AgentRecord, type EntryReach, IssuerError, isBanned, type RegistrationEntry } from '@steeple/core';
import { SpiffeId, type TrustBundle } from '@steeple/spiffe';
import { Watcher } from './watcher.ts';

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

/** Nobody. */
export const NO_REACH: EntryReach = { paths: new Set(), aliases: [] };

/** Streams that one agent may hold; it needs one, and for a while two when it comes back. */
const PER_AGENT = 16;

/**
 * In-process news for the agents that hold a stream to this server.
 *
 * 1. A watcher sees every change published after `open` returned; nothing in between is lost.
 * 2. What waits for a slow watcher is bounded: later news of one entry or bundle replaces earlier news of it, and
 *    beyond `capacity` entries everything waiting is replaced by one `resync`.
 * 3. After its agent was banned or evicted a watcher yields nothing more, whatever was waiting.
 */
export class ChangeFeed {
  /** By path of the agent's ID: most changes concern few of very many agents. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #capacity: number;
  #watching = 0;

  constructor(capacity = 1000) {
    this.#capacity = capacity;
  }

  /**
   * Starts watching for one agent. Close the watcher when done.
   *
   * @throws {IssuerError} `resource-exhausted` when this agent has very many open
   */
  open(agent: Pick<AgentRecord, 'id' | 'selectors'>): Watcher {
    const { path } = agent.id;
    const own = this.#watchers.get(path) ?? new Set();
    if (own.size >= PER_AGENT) {
      throw new IssuerError('resource-exhausted', `an agent may hold ${PER_AGENT} of these streams, and no more`);
    }
    const watcher = new Watcher(agent, this.#capacity, () => {
      if (!own.delete(watcher)) return;
      this.#watching -= 1;
      if (own.size === 0 && this.#watchers.get(path) === own) this.#watchers.delete(path);
    });
    this.#watchers.set(path, own.add(watcher));
    this.#watching += 1;
    return watcher;
  }

  entryChanged(change: EntryChange): void {
    for (const watcher of this.#near(change)) {
      const now = watcher.isConcernedBy(change.after);
      if (!now && !watcher.isConcernedBy(change.before)) continue;
      if (change.structural) watcher.resync();
      else watcher.entry(change.id, now ? change.entry : undefined);
    }
  }

  bundleChanged(bundle: TrustBundle): void {
    for (const watcher of this.#all()) watcher.bundle(bundle);
  }

  /** For a change that is easier fetched again than told. */
  resyncAll(): void {
    for (const watcher of this.#all()) watcher.resync();
  }

  /** A ban ends the agent's watchers; other selectors mean other entries. */
  agentChanged(agent: AgentRecord): void {
    for (const watcher of this.#of(agent.id.path)) {
      if (isBanned(agent)) watcher.end('banned');
      else watcher.reselect(agent.selectors);
    }
  }

  agentRemoved(agentId: string): void {
    for (const watcher of this.#of(SpiffeId.parse(agentId).path)) watcher.end('not-attested');
  }

  get watching(): number {
    return this.#watching;
  }

  #of(path: string): readonly Watcher[] {
    return [...(this.#watchers.get(path) ?? [])];
  }

  *#all(): Generator<Watcher> {
    for (const own of this.#watchers.values()) yield* own;
  }

  /** Those whom the change may concern. Who an alias stands for is known only by asking each. */
  *#near({ before, after }: EntryChange): Generator<Watcher> {
    if (before.aliases.length + after.aliases.length > 0) return yield* this.#all();
    for (const path of new Set([...before.paths, ...after.paths])) yield* this.#of(path);
  }
}
