import { pruneBundle } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { type CallMeter, measureCall, noMetrics } from '@steeple/daemon/metrics';
import type { EntryStore, JoinTokenStore } from '@steeple/plugins';
import type { Bundles } from './bundles.ts';

/** Seconds between two rounds. */
const ENTRIES_AND_TOKENS = 5 * 60;
const BUNDLE = 6 * 3600;

/** Removes what has expired: entries and join tokens often, authorities in the bundle now and then. */
export class Pruning {
  readonly #entries: EntryStore;
  readonly #tokens: JoinTokenStore;
  readonly #bundles: Bundles;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #meter: CallMeter;

  constructor(
    stores: { entries: EntryStore; joinTokens: JoinTokenStore },
    bundles: Bundles,
    rim: { readonly clock: Clock; readonly logger: Logger; readonly meter?: CallMeter | undefined },
  ) {
    this.#entries = stores.entries;
    this.#tokens = stores.joinTokens;
    this.#bundles = bundles;
    this.#clock = rim.clock;
    this.#logger = rim.logger;
    this.#meter = rim.meter ?? { metrics: noMetrics, clock: rim.clock };
  }

  async run(signal: AbortSignal): Promise<void> {
    let bundleDue = this.#clock.monotonic();
    for (;;) {
      await this.#attempt('entries and join tokens', () => this.pruneEntriesAndTokens());
      if (this.#clock.monotonic() >= bundleDue) {
        bundleDue = this.#clock.monotonic() + BUNDLE;
        await this.#attempt('bundle', () => this.pruneBundle());
      }
      await this.#clock.sleep(ENTRIES_AND_TOKENS, signal);
    }
  }

  async pruneEntriesAndTokens(): Promise<void> {
    const now = this.#clock.now();
    const entries = await measureCall(this.#meter, 'registration_entry.manager.prune', () =>
      this.#entries.pruneExpired(now),
    );
    const tokens = await this.#tokens.pruneExpired(now);
    if (entries.length + tokens > 0) this.#logger.info('Pruned', { entries: entries.length, join_tokens: tokens });
  }

  async pruneBundle(): Promise<void> {
    const before = this.#bundles.own().sequence;
    const { sequence } = await measureCall(this.#meter, 'ca.manager.bundle.prune', () =>
      this.#bundles.updateOwn((bundle) => pruneBundle(bundle, this.#clock.now())),
    );
    if (sequence !== before) this.#meter.metrics.counter('ca.manager.bundle.pruned');
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#logger.error('Pruning failed', { what, error });
    }
  }
}
