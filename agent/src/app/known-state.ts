import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSelector, parseSelector } from '@steeple/core';
import { type Clock, type Logger, writeFileAtomic } from '@steeple/daemon';
import { formatBundleDocument, parseBundleDocument, SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';
import type { IdentityCache } from './identity-cache.ts';
import { LatestSlot } from './latest-slot.ts';
import type { Storage } from './storage.ts';
import { pause } from './wake-up.ts';

export interface KnownStateParts {
  readonly dataDir: string;
  readonly cache: IdentityCache;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of the time that writing took, how much is left to everything else; and the longest pause, in seconds. */
const REST = { share: 20, longest: 5 };

interface StoredState {
  readonly trustDomain: string;
  readonly entries: readonly (Omit<AgentEntry, 'spiffeId' | 'selectors'> & { spiffeId: string; selectors: string[] })[];
  readonly bundles: Readonly<Record<string, string>>;
}

/**
 * Keeps entries and bundles on disk, so that an agent that starts while the server is away can serve bundles and verify
 * tokens. No key and no SVID is in it. It is a convenience: whatever is wrong with the file, the agent starts without it.
 */
export class KnownState {
  readonly #parts: KnownStateParts;
  readonly #path: string;
  readonly #pending = new LatestSlot<true>();
  #written = '';

  constructor(parts: KnownStateParts) {
    this.#parts = parts;
    this.#path = join(parts.dataDir, 'agent-cache.json');
  }

  /** Something may have changed; it is written soon. */
  changed(): void {
    this.#pending.set(true);
  }

  /** Puts into the cache what an earlier run knew. */
  async restore(): Promise<void> {
    const { cache, logger } = this.#parts;
    try {
      const text = await readFile(this.#path, 'utf8');
      const state = JSON.parse(text) as StoredState;
      if (state.trustDomain !== cache.trustDomain.name) return;
      const entries = state.entries.map((entry) => ({
        ...entry,
        spiffeId: SpiffeId.parse(entry.spiffeId),
        selectors: entry.selectors.map(parseSelector),
      }));
      const bundles = Object.entries(state.bundles).map(([name, document]) =>
        parseBundleDocument(TrustDomain.parse(name), document),
      );
      cache.apply({ entries, bundles });
      this.#written = text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      logger.warn('The entries and bundles of the last run cannot be used', { file: this.#path, error });
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while ((await this.#pending.take(signal)) !== undefined) {
      const start = clock.monotonic();
      await this.#save();
      // With ten thousand entries writing takes longer than a new one takes to its workload.
      await pause(clock, Math.min(REST.longest, REST.share * (clock.monotonic() - start)), signal);
    }
    await this.#save();
  }

  async #save(): Promise<void> {
    const { cache, storage, logger } = this.#parts;
    try {
      await storage.saveBundle(cache.ownBundle.x509Authorities.map(({ certificate }) => certificate));
      if (!cache.synced) return;
      const text = this.#format();
      if (text === this.#written) return;
      await writeFileAtomic(this.#path, text, { mode: 0o600 });
      this.#written = text;
    } catch (error) {
      // A full disk takes nothing away from the workloads.
      logger.error('Could not save what is known', { file: this.#path, error });
    }
  }

  #format(): string {
    const { cache } = this.#parts;
    const entries = [...cache.entries.values()].map((entry) => ({
      ...entry,
      spiffeId: entry.spiffeId.toString(),
      selectors: entry.selectors.map(formatSelector),
    }));
    const bundles = cache
      .bundleList()
      .map((bundle) => [bundle.trustDomain.name, formatBundleDocument(bundle, { wit: true })]);
    const state = {
      trustDomain: cache.trustDomain.name,
      entries,
      bundles: Object.fromEntries(bundles) as Record<string, string>,
    };
    return JSON.stringify(state satisfies StoredState);
  }
}
