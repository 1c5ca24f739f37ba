import type { KeyObject } from 'node:crypto';
import { rotateAt, rotateForAvailability } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { backoff, Code, heedRetryInfo } from '@steeple/proto/grpc';
import { type Certificate, generateKey, type KeyType, localSigner, makeCsr, X509Svid } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';
import { BatchSize } from './batch-size.ts';
import type { IdentityCache } from './identity-cache.ts';
import type { ItemResult, ServerApi } from './server-api.ts';
import type { StockedSvid } from './svid-shelf.ts';
import { WakeUp } from './wake-up.ts';

export interface SvidRotationParts {
  readonly cache: IdentityCache;
  readonly server: Pick<ServerApi, 'newX509Svids'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly keyType: KeyType;
  /** Seconds before the end at which SVIDs are renewed; undefined: at half of their life. */
  readonly availabilityTarget?: number | undefined;
  /** Told about each failed call; throws when the agent cannot go on. */
  readonly onServerError: (error: unknown, signal: AbortSignal) => Promise<void>;
  /** An entry that we think we have is not known to the server: our list is old. */
  readonly onStaleEntries: () => void;
}

interface Prepared {
  readonly entry: AgentEntry;
  readonly key: KeyObject;
  readonly csr: Uint8Array;
}

const BATCH_RETRY = { initial: 0.5, max: 30, multiplier: 1.5, jitter: 0.1 };
const ITEM_RETRY = { initial: 1, max: 240, multiplier: 2, jitter: 0.1 };

/** A floor under the nap, so that a moment that is always "now" cannot keep the process busy. */
const SHORTEST_NAP = 0.01;

/**
 * Keeps every wanted entry supplied with an X509-SVID.
 *
 * R1. What expired leaves the cache in time, whether the server answers or not.
 * R2. A fresh key for each SVID; a failed attempt's key is thrown away.
 * R3. A failed batch changes nothing but the time of the next attempt.
 */
export class SvidRotation {
  readonly #parts: SvidRotationParts;
  readonly #wake: WakeUp;
  readonly #batch = new BatchSize();
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(parts: SvidRotationParts) {
    this.#parts = parts;
    this.#wake = new WakeUp(parts.clock);
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { cache, clock } = this.#parts;
    const unlisten = cache.onWork(() => this.#wake.nudge());
    try {
      while (!signal.aborted) {
        cache.expire(); // R1
        const now = clock.now();
        const due = cache.due(now);
        if (due.length > 0 && now >= this.#notBefore) await this.#supply(due.slice(0, this.#batch.value), signal);
        else await this.#wake.nap(this.#napLength(now, due.length > 0), signal);
      }
    } finally {
      unlisten();
    }
  }

  /** The server has just answered something: what waits for a retry need not wait longer. */
  serverAnswered(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#parts.cache.retryNow();
    this.#wake.nudge();
  }

  #napLength(now: number, waitingForRetry: boolean): number {
    const next = this.#parts.cache.nextMoment(now);
    const wanted = waitingForRetry ? Math.min(next, this.#notBefore) : next;
    // Not longer than a minute: the machine's clock may be set meanwhile.
    return Math.min(60, Math.max(SHORTEST_NAP, wanted - now));
  }

  async #supply(entries: readonly AgentEntry[], signal: AbortSignal): Promise<void> {
    const { server, clock, random, logger } = this.#parts;
    try {
      const prepared = await Promise.all(entries.map((entry) => this.#prepare(entry)));
      const results = await server.newX509Svids(
        prepared.map(({ entry, csr }) => ({ entryId: entry.id, csr })),
        signal,
      );
      if (results.length !== prepared.length) throw new Error('the server answered another number of items than asked');
      this.#accept(prepared, results);
      this.#failures = 0;
      this.#batch.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      this.#batch.failed();
      const wait = heedRetryInfo(error, backoff(this.#failures, random(), BATCH_RETRY));
      this.#notBefore = clock.now() + wait;
      logger.warn('Could not get X509-SVIDs', { count: entries.length, retryIn: wait, error });
      // R3; whoever waits for a first SVID learns that it will not come soon.
      this.#parts.cache.apply({ postponed: { entryIds: entries.map(({ id }) => id), wait } });
      await this.#parts.onServerError(error, signal);
    }
  }

  async #prepare(entry: AgentEntry): Promise<Prepared> {
    const key = generateKey(this.#parts.keyType); // R2
    return { entry, key, csr: await makeCsr(localSigner(key), { uri: entry.spiffeId.toString() }) };
  }

  #accept(prepared: readonly Prepared[], results: readonly ItemResult<readonly Certificate[]>[]): void {
    const { cache, logger, random } = this.#parts;
    const svids: [string, StockedSvid][] = [];
    const failed: string[] = [];
    let stale = false;
    for (const [index, item] of prepared.entries()) {
      const result = results[index];
      const id = item.entry.id;
      try {
        if (result === undefined || !result.ok) throw new Error(result?.message ?? 'no answer');
        svids.push([id, this.#stock(item, result.value)]);
      } catch (error) {
        failed.push(id);
        stale ||= result?.ok === false && result.code === Code.NOT_FOUND;
        logger.warn('Could not get an X509-SVID', { entry: id, spiffeId: item.entry.spiffeId.toString(), error });
      }
    }
    const delay = (failures: number) => backoff(failures + 1, random(), ITEM_RETRY);
    cache.apply({ svids, failed: { entryIds: failed, delay } });
    if (svids.length > 0) logger.debug('X509-SVIDs updated', { count: svids.length });
    if (stale) this.#parts.onStaleEntries();
  }

  /** The SVID with its key, if the server issued what was asked for. */
  #stock({ entry, key }: Prepared, chain: readonly Certificate[]): StockedSvid {
    const { clock, random, availabilityTarget } = this.#parts;
    const svid = X509Svid.fromParts(chain, key, entry.hint);
    if (!svid.id.equals(entry.spiffeId)) throw new Error(`the server issued ${svid.id.toString()} instead`);
    const { notAfter } = svid.leaf;
    // It is backdated; its life with us begins now, else a short one would be over half before it came.
    const notBefore = Math.max(svid.leaf.notBefore, clock.now());
    if (notAfter <= notBefore) throw new Error('the server issued an SVID that has expired; compare the clocks');
    const moment =
      availabilityTarget === undefined
        ? rotateAt(notBefore, notAfter, random())
        : rotateForAvailability({ notBefore, notAfter }, availabilityTarget, random());
    return { svid, revision: entry.revision, createdAt: entry.createdAt, rotateAt: moment };
  }
}
