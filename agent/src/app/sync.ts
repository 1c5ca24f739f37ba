import type { Clock, Logger } from '@steeple/daemon';
import { backoff, Code, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import { type TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';
import type { IdentityCache } from './identity-cache.ts';
import type { PushEvent, ServerApi } from './server-api.ts';
import { WakeUp } from './wake-up.ts';

type Changes = Extract<PushEvent, { kind: 'changes' }>;

export interface SyncParts {
  readonly cache: IdentityCache;
  readonly server: Pick<ServerApi, 'authorizedEntries' | 'bundle' | 'federatedBundle'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Seconds between two questions. */
  readonly interval: number;
  /** Whether changes are announced as they happen; asking is a safety net then. */
  readonly announced?: () => boolean;
  /** Told about each failure; throws when the agent cannot go on. */
  readonly onServerError: (error: unknown, signal: AbortSignal) => Promise<void>;
  /** Told after each complete answer. */
  readonly onSynced?: () => void;
}

const PARALLEL_BUNDLES = 10;

/** How much longer the interval is while changes are announced: thousands of agents that ask for what they know are a load. */
const ANNOUNCED = 12;

/**
 * Keeps the cache equal to what the server says this node may have.
 *
 * Y1. Entries and bundles are removed only on a complete, successful answer, or when the server announces it.
 * Y2. What is announced while a question is under way is newer than the answer and wins over it.
 * Y3. A bundle of our own trust domain without roots is an error: applied, it would lock us out for good.
 * Y4. An error changes nothing but the time of the next question.
 */
export class Sync {
  readonly #parts: SyncParts;
  readonly #wake: WakeUp;
  /** What was announced since the question under way was asked: entry ids and trust domain names. */
  #announced: { readonly entries: Set<string>; readonly bundles: Set<string> } | undefined;
  #failures = 0;
  #lastSuccess: number | undefined;

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.#wake = new WakeUp(parts.clock);
  }

  /** Unix seconds of the last complete answer. */
  get lastSuccess(): number | undefined {
    return this.#lastSuccess;
  }

  /** Asks now instead of at the next interval. */
  nudge(): void {
    this.#wake.nudge();
  }

  /** Asks at intervals until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#wake.nap(await this.#attempt(signal), signal);
    }
  }

  /** Applies an announcement at once (Y2). */
  push(changes: Changes): void {
    for (const { id } of changes.entries) this.#announced?.entries.add(id);
    for (const id of changes.removedEntryIds) this.#announced?.entries.add(id);
    for (const { trustDomain } of changes.bundles) this.#announced?.bundles.add(trustDomain.name);
    const { entries, removedEntryIds } = changes;
    const { trustDomain } = this.#parts.cache;
    const bundles = changes.bundles.filter((b) => b.x509Authorities.length > 0 || !b.trustDomain.equals(trustDomain)); // Y3
    this.#parts.cache.apply({ entries, removedEntries: removedEntryIds, bundles });
    // An entry may federate with a trust domain whose bundle we never had a reason to ask for.
    if (this.#missesBundles(changes.entries)) this.nudge();
  }

  /** One question; returns the seconds until the next one. */
  async #attempt(signal: AbortSignal): Promise<number> {
    const { logger, interval, random } = this.#parts;
    try {
      await this.once(signal);
      this.#failures = 0;
      const pause = this.#parts.announced?.() ? interval * ANNOUNCED : interval;
      return backoff(1, random(), { initial: pause, max: pause, multiplier: 1, jitter: 0.1 });
    } catch (error) {
      if (signal.aborted) return 0;
      this.#failures++; // Y4
      const max = Math.min(480, interval * 48);
      const own = backoff(this.#failures, random(), { initial: interval, max, multiplier: 1.5, jitter: 0.1 });
      const wait = heedRetryInfo(error, own);
      logger.warn('Could not synchronise with the server', { retryIn: wait, error });
      await this.#parts.onServerError(error, signal);
      return wait;
    }
  }

  /** Asks for everything once and applies it in one step. */
  async once(signal: AbortSignal): Promise<void> {
    const { cache, server, clock } = this.#parts;
    const announced = { entries: new Set<string>(), bundles: new Set<string>() };
    this.#announced = announced;
    try {
      const entries = await server.authorizedEntries(cache.entries, signal);
      const own = requireRoots(await server.bundle(signal));
      const federated = await this.#federatedBundles(entries.values(), signal);
      const newer = ({ trustDomain }: TrustBundle) => !announced.bundles.has(trustDomain.name);
      cache.apply({
        entries: [...entries.values()].filter(({ id }) => !announced.entries.has(id)), // Y2
        removedEntries: [...cache.entries.keys()].filter((id) => !entries.has(id) && !announced.entries.has(id)), // Y1
        bundles: [own, ...federated.found].filter(newer),
        removedBundles: this.#obsoleteBundles(federated.found, announced.bundles),
      });
    } finally {
      this.#announced = undefined;
    }
    cache.markSynced();
    this.#lastSuccess = clock.now();
    this.#parts.onSynced?.();
  }

  async #federatedBundles(
    entries: Iterable<AgentEntry>,
    signal: AbortSignal,
  ): Promise<{ readonly found: readonly TrustBundle[] }> {
    const names = federatedNames(entries, this.#parts.cache.trustDomain);
    const found: TrustBundle[] = [];
    const pending = names.values();
    const worker = async () => {
      // The workers share the iterator, so each name is taken once.
      for (const name of pending) {
        const bundle = await this.#parts.server.federatedBundle(TrustDomain.parse(name), signal);
        if (bundle === undefined)
          this.#parts.logger.warn('The server has no bundle of a federated trust domain', { trustDomain: name });
        else found.push(bundle);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL_BUNDLES, names.size) }, worker));
    return { found };
  }

  /** Federated bundles that no entry needs any more, or that the server has no more. */
  #obsoleteBundles(found: readonly TrustBundle[], announced: ReadonlySet<string>): readonly TrustDomain[] {
    const { cache } = this.#parts;
    const keep = new Set([cache.trustDomain.name, ...announced, ...found.map(({ trustDomain }) => trustDomain.name)]);
    return cache
      .bundleList()
      .map(({ trustDomain }) => trustDomain)
      .filter(({ name }) => !keep.has(name));
  }

  #missesBundles(entries: readonly AgentEntry[]): boolean {
    const { cache } = this.#parts;
    const known = new Set(cache.bundleList().map(({ trustDomain }) => trustDomain.name));
    return [...federatedNames(entries, cache.trustDomain)].some((name) => !known.has(name));
  }
}

/** Y3 */
function requireRoots(bundle: TrustBundle): TrustBundle {
  if (bundle.x509Authorities.length > 0) return bundle;
  throw GrpcError.of(Code.INTERNAL, 'the server sent a bundle without roots');
}

function federatedNames(entries: Iterable<AgentEntry>, own: TrustDomain): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { federatesWith } of entries) for (const name of federatesWith) names.add(name);
  names.delete(own.name);
  return names;
}
