import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
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

/** Entries written in one turn of the event loop: with ten thousand at once a new one would wait for a tenth of a second. */
const PORTION = 200;

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
      const text = await this.#format();
      if (text === this.#written) return;
      await writeFileAtomic(this.#path, text, { mode: 0o600 });
      this.#written = text;
    } catch (error) {
      // A full disk takes nothing away from the workloads.
      logger.error('Could not save what is known', { file: this.#path, error });
    }
  }

  /** Of this moment, whatever changes while it is written in portions between which others get their turn. */
  async #format(): Promise<string> {
    const { cache } = this.#parts;
    const bundles: StoredState['bundles'] = Object.fromEntries(
      cache.bundleList().map((bundle) => [bundle.trustDomain.name, formatBundleDocument(bundle, { wit: true })]),
    );
    const trustDomain: StoredState['trustDomain'] = cache.trustDomain.name;
    const entries = [...cache.entries.values()];
    const portions: string[] = [];
    for (let at = 0; at < entries.length; at += PORTION) {
      if (at > 0) await turn();
      portions.push(
        entries
          .slice(at, at + PORTION)
          .map(formatEntry)
          .join(','),
      );
    }
    const [name, documents] = [trustDomain, bundles].map((part) => JSON.stringify(part));
    return `{"trustDomain":${name},"entries":[${portions.join(',')}],"bundles":${documents}}`;
  }
}

function formatEntry(entry: AgentEntry): string {
  const stored: StoredState['entries'][number] = {
    ...entry,
    spiffeId: entry.spiffeId.toString(),
    selectors: entry.selectors.map(formatSelector),
  };
  return JSON.stringify(stored);
}
