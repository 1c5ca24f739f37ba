import type { Selector } from '@steeple/core';
import type { StorableSvid } from '@steeple/plugins';
import type { BundleSource, TrustBundle, TrustDomain } from '@steeple/spiffe';
import { type AgentEntry, sameVersion, selectorKeys } from './agent-entry.ts';
import { BundleBook } from './bundle-book.ts';
import { GroupIndex } from './group-index.ts';
import type { SelectorGroup } from './selector-group.ts';
import { SelectorIndex } from './selector-index.ts';
import { type DemandState, SvidDemand, type SvidDemandLimits } from './svid-demand.ts';
import { type StockedSvid, SvidShelf } from './svid-shelf.ts';
import { taintedIssuers } from './tainted-issuers.ts';
import type { WorkloadView } from './workload-view.ts';

/** Seconds after which an SVID that came under a compromised authority is asked for again. */
const TAINTED_AGAIN = 5;

/** What changes in one step. Parts left out stay as they are. */
export interface CacheChange {
  /** New and changed entries. */
  readonly entries?: Iterable<AgentEntry>;
  readonly removedEntries?: Iterable<string>;
  readonly bundles?: Iterable<TrustBundle>;
  readonly removedBundles?: Iterable<TrustDomain>;
  readonly svids?: Iterable<readonly [entryId: string, svid: StockedSvid]>;
  /** Entries whose SVID could not even be asked for, with the wait in seconds. */
  readonly postponed?: { readonly entryIds: Iterable<string>; readonly wait: number };
  /** Entries whose SVID was refused, with the wait in seconds by number of earlier refusals. */
  readonly failed?: { readonly entryIds: Iterable<string>; readonly delay: (failures: number) => number };
}

export interface SubscribeOptions {
  /** Asks for X509-SVIDs, so that those not fetched in advance are requested now. */
  readonly x509?: boolean;
}

const UNLIMITED: SvidDemandLimits = { maxSize: Number.POSITIVE_INFINITY, stores: new Set() };

/**
 * What this node may hand to its workloads.
 *
 * C1. `apply` is one step: nobody ever sees half of a change.
 * C2. Entries and bundles leave only when the caller names them; an error elsewhere takes nothing away.
 * C3. A subscriber holds one view, the newest; a slow one costs nothing more.
 * C4. Streams with equal selectors share a view, and an entry's change is looked at only where its selectors occur.
 * C5. An expired SVID is in no view (S1).
 * C6. Until the first complete answer of the server, `synced` is false: no entry found means nothing then.
 */
export class IdentityCache {
  readonly trustDomain: TrustDomain;
  readonly #now: () => number;
  readonly #entries = new Map<string, AgentEntry>();
  readonly #index = new SelectorIndex();
  readonly #groups = new GroupIndex();
  readonly #shelf = new SvidShelf();
  readonly #bundles: BundleBook;
  readonly #workListeners = new Set<() => void>();
  readonly #demand: SvidDemand;
  readonly #demandState: DemandState;
  /** Entries of which somebody asks for the X509-SVID, until that may have changed. */
  #subscribed: ReadonlySet<string> | undefined;
  readonly #entryChanges = { added: 0, updated: 0, removed: 0 };
  #synced = false;

  constructor(trustDomain: TrustDomain, now: () => number, limits: SvidDemandLimits = UNLIMITED) {
    this.trustDomain = trustDomain;
    this.#bundles = new BundleBook(trustDomain);
    this.#now = now;
    this.#demand = new SvidDemand(limits);
    this.#demandState = {
      entries: this.#entries,
      inStock: (id) => this.#shelf.has(id),
      subscribed: () => (this.#subscribed ??= this.#computeSubscribed()),
    };
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** All entries by id, those whose SVIDs are stored elsewhere included. */
  get entries(): ReadonlyMap<string, AgentEntry> {
    return this.#entries;
  }

  /** How often an entry came, changed and went. */
  get entryChanges(): { readonly added: number; readonly updated: number; readonly removed: number } {
    return this.#entryChanges;
  }

  get bundles(): BundleSource {
    return this.#bundles.source;
  }

  get ownBundle(): TrustBundle {
    return this.#bundles.own;
  }

  bundleList(): readonly TrustBundle[] {
    return this.#bundles.list();
  }

  /** All bundles now and after each change, until the signal aborts. */
  watchBundles(signal: AbortSignal): AsyncGenerator<readonly TrustBundle[], void, undefined> {
    return this.#bundles.watch(signal);
  }

  /** X509-SVIDs in stock for workloads. */
  get svidCount(): number {
    return this.#shelf.size - this.storedSvidCount;
  }

  /** X509-SVIDs in stock for SVID stores. */
  get storedSvidCount(): number {
    return this.#shelf.ids().filter((id) => this.#entries.get(id)?.storeSvid === true).length;
  }

  /** Whether anything in stock stands on an authority that is known to be compromised. */
  get holdsTainted(): boolean {
    const isTainted = taintedIssuers(this.ownBundle);
    return isTainted !== undefined && this.#shelf.some(isTainted);
  }

  /** What is in stock for SVID stores, by entry, in the order of ids. */
  storable(): readonly (readonly [AgentEntry, StorableSvid])[] {
    const now = this.#now();
    const entries = [...this.#entries.values()].filter(({ storeSvid }) => storeSvid);
    return entries
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .flatMap((entry) => {
        const svid = this.#shelf.usable(entry, now);
        if (svid === undefined) return [];
        const federatedBundles = this.#bundles.federated(new Set(entry.federatesWith));
        return [[entry, { svid, bundle: this.ownBundle, federatedBundles }] as const];
      });
  }

  /** Why an entry needs another SVID: it has none, the one it has is of an older version of it, or has grown old. */
  reasonToRenew(id: string): 'new' | 'outdated' | 'expiring' {
    const entry = this.#entries.get(id);
    if (entry === undefined || !this.#shelf.has(id)) return 'new';
    return this.#shelf.isOutdated(entry) ? 'outdated' : 'expiring';
  }

  /** Calls back whenever there may be SVIDs to request. Returns the function that ends it. */
  onWork(listener: () => void): () => void {
    this.#workListeners.add(listener);
    return () => this.#workListeners.delete(listener);
  }

  /** From now on "no entry" means that there is none. */
  markSynced(): void {
    if (this.#synced) return;
    this.#synced = true;
    for (const group of this.#groups.all()) this.#publish(group);
  }

  apply(change: CacheChange): void {
    const now = this.#now();
    const concerned = new Set<SelectorGroup>();
    for (const id of change.removedEntries ?? []) this.#removeEntry(id, concerned);
    for (const entry of change.entries ?? []) this.#putEntry(entry, concerned);
    for (const [id, svid] of change.svids ?? []) {
      // The entry may have gone while its SVID was being issued.
      if (!this.#entries.has(id)) continue;
      this.#shelf.put(id, svid);
      this.#concern(this.#index.anchorOf(id), concerned);
    }
    // It may have been on its way when its root was found to be compromised. Not at once: it may be so again.
    if (change.svids !== undefined) this.#renewTainted(now + TAINTED_AGAIN);
    this.#noteFailures(change, now, concerned);
    for (const id of this.#demand.surplus(this.#shelf.ids(), this.#demandState)) this.#shelf.remove(id);
    if (this.#changeBundles(change)) for (const group of this.#groups.all()) concerned.add(group);
    for (const group of concerned) this.#publish(group);
    for (const listener of this.#workListeners) listener();
  }

  /** Makes every entry whose SVID could not be had due again at once. */
  retryNow(): void {
    this.#shelf.retryNow();
  }

  /** Makes every SVID due at once: whoever issued them is no more. */
  renewAll(): void {
    this.#shelf.renewNow(this.#now(), () => true);
    for (const listener of this.#workListeners) listener();
  }

  /** Takes expired SVIDs out of stock (C5). */
  expire(): void {
    const concerned = new Set<SelectorGroup>();
    for (const id of this.#shelf.expire(this.#now())) this.#concern(this.#index.anchorOf(id), concerned);
    for (const group of concerned) this.#publish(group);
  }

  /** Entries that need a new SVID at `now`, the most urgent first. */
  due(now: number): readonly AgentEntry[] {
    const due = this.#demand.wanted(this.#demandState).filter((entry) => this.#shelf.dueAt(entry) <= now);
    return due.sort((a, b) => this.#shelf.expiryOf(a.id) - this.#shelf.expiryOf(b.id));
  }

  /** The next moment at which an SVID becomes due or expires; infinity if none will. */
  nextMoment(now: number): number {
    let next = this.#shelf.nextExpiry();
    for (const entry of this.#entries.values()) {
      const dueAt = this.#shelf.dueAt(entry);
      if (dueAt > now && dueAt < next) next = dueAt;
    }
    return next;
  }

  /** Whether somebody with these selectors, and more of these types, could be entitled to more than without. */
  couldMatter(known: ReadonlySet<string>, types: ReadonlySet<string>): boolean {
    return this.#index.couldMatch(known, types);
  }

  /** What these selectors are entitled to now. */
  view(selectors: readonly Selector[]): WorkloadView {
    return this.#compute(new Set(selectorKeys(selectors)));
  }

  /** The view now and at each change, until the signal aborts; a view that was overtaken before it was read is skipped. */
  async *subscribe(
    selectors: readonly Selector[],
    signal: AbortSignal,
    options: SubscribeOptions = {},
  ): AsyncGenerator<WorkloadView, void, undefined> {
    const group = this.#groups.group(selectorKeys(selectors));
    const view = this.#compute(group.keys);
    const { slot, leave } = group.join(view, options.x509 === true);
    if (options.x509 === true) {
      this.#subscribed = undefined;
      this.#demand.use(view.entries);
      // Most find what they want in stock: nobody need look for work then.
      const now = this.#now();
      if (view.entries.some((entry) => this.#shelf.dueAt(entry) <= now)) {
        for (const listener of this.#workListeners) listener();
      }
    }
    try {
      for (let view = await slot.take(signal); view !== undefined; view = await slot.take(signal)) yield view;
    } finally {
      leave();
      this.#subscribed = undefined;
      this.#groups.forgetIfEmpty(group);
    }
  }

  #putEntry(entry: AgentEntry, concerned: Set<SelectorGroup>): void {
    const old = this.#entries.get(entry.id);
    if (old !== undefined && sameVersion(old, entry)) return;
    this.#entryChanges[old === undefined ? 'added' : 'updated']++;
    this.#concern(this.#index.remove(entry.id), concerned);
    this.#entries.set(entry.id, entry);
    this.#subscribed = undefined;
    if (!entry.storeSvid) this.#concern(this.#index.put(entry), concerned);
  }

  #noteFailures({ postponed, failed }: CacheChange, now: number, concerned: Set<SelectorGroup>): void {
    const noted = (ids: Iterable<string> = [], note: (id: string) => void): void => {
      for (const id of ids) {
        if (!this.#entries.has(id)) continue;
        note(id);
        this.#concern(this.#index.anchorOf(id), concerned);
      }
    };
    noted(postponed?.entryIds, (id) => this.#shelf.postpone(id, now + (postponed?.wait ?? 0)));
    noted(failed?.entryIds, (id) => this.#shelf.fail(id, now, failed?.delay ?? (() => 0)));
  }

  #removeEntry(id: string, concerned: Set<SelectorGroup>): void {
    if (!this.#entries.delete(id)) return;
    this.#entryChanges.removed++;
    this.#concern(this.#index.remove(id), concerned);
    this.#shelf.remove(id);
    this.#demand.forget(id);
    this.#subscribed = undefined;
  }

  #changeBundles({ bundles = [], removedBundles = [] }: CacheChange): boolean {
    const { changed, fresh } = this.#bundles.change(bundles, removedBundles);
    if (fresh.some((bundle) => bundle.trustDomain.equals(this.trustDomain))) this.#renewTainted(this.#now());
    return changed;
  }

  /** SVIDs under a root that is known to be compromised are replaced from this moment on. */
  #renewTainted(moment: number): void {
    const isTainted = taintedIssuers(this.ownBundle);
    if (isTainted !== undefined) this.#shelf.renewNow(moment, isTainted);
  }

  #computeSubscribed(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const group of this.#groups.all()) {
      if (group.wantsX509) for (const { id } of this.#index.matching(group.keys)) ids.add(id);
    }
    return ids;
  }

  #concern(anchor: string | undefined, concerned: Set<SelectorGroup>): void {
    if (anchor !== undefined) for (const group of this.#groups.with(anchor)) concerned.add(group);
  }

  #publish(group: SelectorGroup): void {
    group.publish(this.#compute(group.keys));
  }

  #compute(keys: ReadonlySet<string>): WorkloadView {
    const now = this.#now();
    const entries = this.#index.matching(keys);
    const identities = entries.flatMap((entry) => {
      const svid = this.#shelf.usable(entry, now);
      return svid === undefined ? [] : [{ entry, svid }];
    });
    return {
      entries,
      identities,
      settled: this.#synced && entries.every((entry) => this.#shelf.settled(entry, now)),
      bundle: this.ownBundle,
      federatedBundles: this.#bundles.federated(new Set(entries.flatMap(({ federatesWith }) => federatesWith))),
    };
  }
}
