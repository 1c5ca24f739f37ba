import type { X509Svid } from '@steeple/spiffe';
import { type AgentEntry, sameVersion } from './agent-entry.ts';

/** An X509-SVID in stock, with the version of the entry that it was issued for and its moments in Unix seconds. */
export interface StockedSvid {
  readonly svid: X509Svid;
  readonly revision: number;
  readonly createdAt: number;
  readonly rotateAt: number;
}

interface Failure {
  readonly count: number;
  readonly retryAt: number;
}

/**
 * The X509-SVIDs in stock, by entry id.
 *
 * S1. What has expired is never given out, whoever asks and whenever.
 * S2. An SVID leaves the shelf by expiry, by a newer one, or with its entry; never because renewing it failed.
 */
export class SvidShelf {
  readonly #stock = new Map<string, StockedSvid>();
  readonly #failures = new Map<string, Failure>();

  get size(): number {
    return this.#stock.size;
  }

  has(entryId: string): boolean {
    return this.#stock.has(entryId);
  }

  /** Whether the SVID in stock, if there is one, was issued for an older version of the entry. */
  isOutdated(entry: AgentEntry): boolean {
    const stocked = this.#stock.get(entry.id);
    return stocked !== undefined && !sameVersion(stocked, entry);
  }

  /** Of the entries that have one in stock. */
  ids(): readonly string[] {
    return [...this.#stock.keys()];
  }

  /** The SVID to hand out for this entry now: unexpired (S1) and with the entry's own SPIFFE ID. */
  usable(entry: AgentEntry, now: number): X509Svid | undefined {
    const svid = this.#stock.get(entry.id)?.svid;
    if (svid === undefined || svid.leaf.notAfter <= now || !svid.id.equals(entry.spiffeId)) return undefined;
    return svid;
  }

  /** Whether waiting for this entry's SVID makes sense no more: it is there, or the last attempt to get it failed. */
  settled(entry: AgentEntry, now: number): boolean {
    return this.#failures.has(entry.id) || this.usable(entry, now) !== undefined;
  }

  put(entryId: string, stocked: StockedSvid): void {
    this.#stock.set(entryId, stocked);
    this.#failures.delete(entryId);
  }

  remove(entryId: string): void {
    this.#stock.delete(entryId);
    this.#failures.delete(entryId);
  }

  /** Notes a refusal; `delay` gives the wait in seconds from the number of refusals before it. */
  fail(entryId: string, now: number, delay: (failures: number) => number): void {
    const count = this.#failures.get(entryId)?.count ?? 0;
    this.#failures.set(entryId, { count: count + 1, retryAt: now + delay(count) });
  }

  /** Notes that nothing could be asked: a reason to wait, but none to wait longer each time. */
  postpone(entryId: string, retryAt: number): void {
    this.#failures.set(entryId, { count: this.#failures.get(entryId)?.count ?? 0, retryAt });
  }

  /** Removes what has expired (S1) and tells which. */
  expire(now: number): readonly string[] {
    const gone: string[] = [];
    for (const [id, { svid }] of this.#stock) if (svid.leaf.notAfter <= now) gone.push(id);
    for (const id of gone) this.#stock.delete(id);
    return gone;
  }

  /** Whether there is an SVID that the predicate picks. */
  some(picks: (svid: X509Svid) => boolean): boolean {
    return [...this.#stock.values()].some(({ svid }) => picks(svid));
  }

  /** Makes every SVID that the predicate picks due at a moment, if it is not due before. */
  renewNow(moment: number, picks: (svid: X509Svid) => boolean): void {
    for (const [id, stocked] of this.#stock) {
      if (stocked.rotateAt > moment && picks(stocked.svid)) this.#stock.set(id, { ...stocked, rotateAt: moment });
    }
  }

  /** No failed entry waits for its next attempt any more. */
  retryNow(): void {
    for (const [id, failure] of this.#failures)
      this.#failures.set(id, { ...failure, retryAt: Number.NEGATIVE_INFINITY });
  }

  /** The moment from which this entry needs a new SVID; at or before `now` means: now. */
  dueAt(entry: AgentEntry): number {
    const retryAt = this.#failures.get(entry.id)?.retryAt ?? Number.NEGATIVE_INFINITY;
    return Math.max(retryAt, this.#wantedAt(entry));
  }

  /** The next expiry of anything in stock. */
  nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { svid } of this.#stock.values()) next = Math.min(next, svid.leaf.notAfter);
    return next;
  }

  /** When the entry's SVID ends; 0 if there is none, so that the most urgent sorts first. */
  expiryOf(entryId: string): number {
    return this.#stock.get(entryId)?.svid.leaf.notAfter ?? 0;
  }

  #wantedAt(entry: AgentEntry): number {
    const stocked = this.#stock.get(entry.id);
    if (stocked === undefined || !sameVersion(stocked, entry)) return Number.NEGATIVE_INFINITY;
    return stocked.rotateAt;
  }
}
