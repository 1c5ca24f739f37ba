import { type AgentRecord, EntryTree, IssuerError, isAlias, type RegistrationEntry } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { EntryStore, StoreChange } from '@steeple/plugins';
import type { TrustDomain } from '@steeple/spiffe';
import { type ChangeFeed, NO_REACH } from './change-feed.ts';

/** Entries read at once; all at once would take far more memory than what is kept of them. */
const PAGE = 1000;

/**
 * Answers from memory which entries an agent may have.
 *
 * 1. The tree follows the store's commits in their order, from before it was loaded.
 * 2. Until it is loaded every question is refused: an empty list would make agents forget all their identities.
 * 3. News is published after the tree has changed, so whoever asks on hearing it sees the new state.
 */
export class AuthorizedEntries {
  readonly #tree: EntryTree;
  readonly #feed: ChangeFeed;
  readonly #clock: Clock;
  /** Changes that came before the load finished; undefined from then on. */
  #early: StoreChange[] | undefined = [];

  constructor(trustDomain: TrustDomain, feed: ChangeFeed, clock: Clock) {
    this.#tree = new EntryTree(trustDomain);
    this.#feed = feed;
    this.#clock = clock;
  }

  /** Fills the tree. The store must be watched before, see `apply`: what changes between two pages is not lost. */
  async load(store: Pick<EntryStore, 'list'>): Promise<void> {
    for (let token: string | undefined = ''; token !== undefined; ) {
      const { items, nextToken } = await store.list({ page: { size: PAGE, token } });
      for (const entry of items) this.#tree.put(entry);
      token = nextToken === '' ? undefined : nextToken;
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.apply(change);
  }

  get ready(): boolean {
    return this.#early === undefined;
  }

  /** Takes over what one transaction changed. */
  apply(change: StoreChange): void {
    if (this.#early) {
      this.#early.push(change);
      return;
    }
    for (const id of change.entries.removed) this.#replace(id, undefined);
    for (const entry of change.entries.put) this.#replace(entry.id, entry);
  }

  /** All that the agent is authorized for. @throws {IssuerError} `unavailable` until loaded */
  of(agent: Pick<AgentRecord, 'id' | 'selectors'>): RegistrationEntry[] {
    this.#requireReady();
    const now = this.#clock.now();
    return this.#tree.authorized(agent.id.path, agent.selectors).filter((entry) => isLive(entry, now));
  }

  /** A lookup by entry ID among what the agent is authorized for. @throws {IssuerError} `unavailable` until loaded */
  finder(agent: Pick<AgentRecord, 'id' | 'selectors'>): (entryId: string) => RegistrationEntry | undefined {
    this.#requireReady();
    const now = this.#clock.now();
    return (entryId) => {
      const entry = this.#tree.authorizedEntry(agent.id.path, agent.selectors, entryId);
      return entry && isLive(entry, now) ? entry : undefined;
    };
  }

  #replace(id: string, entry: RegistrationEntry | undefined): void {
    const old = this.#tree.get(id);
    const before = old ? this.#tree.reach(old) : NO_REACH;
    // Asked while the old entry still stands, and again below while the new one does: what hangs under either.
    const moved = old?.spiffeId.path !== entry?.spiffeId.path || old?.parentId.path !== entry?.parentId.path;
    const structural = [old, entry].some(
      (one) => one !== undefined && (isAlias(one) || (moved && this.#hasChildren(one))),
    );
    if (entry) this.#tree.put(entry);
    else this.#tree.remove(id);
    const after = entry ? this.#tree.reach(entry) : NO_REACH;
    this.#feed.entryChanged({ id, entry, before, after, structural });
  }

  #hasChildren(entry: RegistrationEntry): boolean {
    return this.#tree.authorized(entry.spiffeId.path, []).length > 0;
  }

  #requireReady(): void {
    if (!this.ready) throw new IssuerError('unavailable', 'server is initializing: entries are not loaded yet');
  }
}

// Expired entries are pruned now and then only; in between they must not count.
const isLive = (entry: RegistrationEntry, now: number): boolean => entry.expiresAt === 0 || entry.expiresAt > now;
