import {
  type AgentRecord,
  concerns,
  type EntryReach,
  IssuerError,
  isSubset,
  type RegistrationEntry,
  type Selector,
  selectorSet,
} from '@steeple/core';
import type { TrustBundle } from '@steeple/spiffe';

export type WatchEvent =
  | {
      readonly kind: 'changes';
      readonly entries: RegistrationEntry[];
      readonly removed: string[];
      readonly bundles: TrustBundle[];
    }
  | { readonly kind: 'resync' };

/** What waits for one stream of an agent, see `ChangeFeed`. */
export class Watcher {
  readonly #path: string;
  readonly #capacity: number;
  readonly #onClose: () => void;
  #selectors: ReadonlySet<string>;
  #entries = new Map<string, RegistrationEntry | undefined>();
  #bundles = new Map<string, TrustBundle>();
  #resync = false;
  #ended: 'banned' | 'not-attested' | undefined;
  #wake: (() => void) | undefined;

  constructor(agent: Pick<AgentRecord, 'id' | 'selectors'>, capacity: number, onClose: () => void) {
    this.#path = agent.id.path;
    this.#selectors = selectorSet(agent.selectors);
    this.#capacity = capacity;
    this.#onClose = onClose;
  }

  isConcernedBy(reach: EntryReach): boolean {
    return concerns(reach, this.#path, this.#selectors);
  }

  reselect(selectors: readonly Selector[]): void {
    const next = selectorSet(selectors);
    const same = next.size === this.#selectors.size && isSubset(selectors, this.#selectors);
    this.#selectors = next;
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
