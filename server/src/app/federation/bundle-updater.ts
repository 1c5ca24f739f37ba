import type { FederationRelationship } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { type Metrics, measureCall } from '@steeple/daemon/metrics';
import type { TrustBundle } from '@steeple/spiffe';
import type { EndpointTrust } from './connect-endpoint.ts';
import { fetchBundle } from './fetch-bundle.ts';
import { type FirstBundleSource, firstBundle } from './first-bundle.ts';
import { pollPause } from './poll-pause.ts';

/** Where fetched bundles go. */
interface FederatedBundles {
  bundleFor(trustDomain: FederationRelationship['trustDomain']): TrustBundle | undefined;
  /** Stores a fetched bundle unless nothing is new; true when it was stored. */
  takeFetched(bundle: TrustBundle): Promise<boolean>;
}

export interface BundleUpdaterParts {
  readonly bundles: FederatedBundles;
  readonly trust: EndpointTrust;
  readonly clock: Clock;
  /** Random numbers in [0, 1). */
  readonly random01: () => number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A relationship, and where its first bundle comes from if one has to be fetched. */
export interface FollowedRelationship extends FederationRelationship {
  readonly first?: FirstBundleSource | undefined;
}

/**
 * Keeps the bundle of one other trust domain fresh.
 *
 * 1. One fetch at a time; who asks meanwhile gets the outcome of a fetch that began after the question.
 * 2. Every fetch starts at the configured URL and is authenticated with what is known at that moment.
 * 3. A failure changes nothing: the last good bundle stays until a good one comes.
 * 4. After its signal aborted nothing is stored any more.
 */
export class BundleUpdater {
  readonly relationship: FollowedRelationship;
  readonly #parts: BundleUpdaterParts;
  readonly #abort = new AbortController();
  #fetching: Promise<unknown> = Promise.resolve();
  #wake: AbortController | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #again = false;

  constructor(relationship: FollowedRelationship, parts: BundleUpdaterParts) {
    this.relationship = relationship;
    this.#parts = { ...parts, logger: parts.logger.child({ trust_domain: relationship.trustDomain.name }) };
  }

  /** Starts to poll: now, then at the pace of the bundle. */
  start(): void {
    this.#running ??= this.#poll();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled([this.#running, this.#fetching]);
  }

  /** Fetches now. @throws what went wrong */
  refresh(): Promise<void> {
    const fetch = this.#fetching.then(
      () => this.#fetch(),
      () => this.#fetch(),
    );
    this.#fetching = fetch;
    fetch.catch(() => {});
    return fetch;
  }

  /** Does not wait for the next poll if the last or present one fails: what it lacked may be there now. */
  tryAgain(): void {
    this.#again = true;
    if (this.#failures > 0) this.#wake?.abort();
  }

  async #poll(): Promise<void> {
    const { clock, bundles, random01 } = this.#parts;
    while (!this.#abort.signal.aborted) {
      this.#again = false;
      await this.refresh().catch(() => {});
      if (this.#again && this.#failures > 0) continue;
      const stored = bundles.bundleFor(this.relationship.trustDomain);
      const pause = pollPause(stored, this.#failures, random01());
      this.#wake = new AbortController();
      await clock.sleep(pause, AbortSignal.any([this.#abort.signal, this.#wake.signal])).catch(() => {});
    }
  }

  async #fetch(): Promise<void> {
    const { metrics, clock, logger } = this.#parts;
    const { trustDomain, bundleEndpointUrl: url } = this.relationship;
    this.#abort.signal.throwIfAborted();
    const labels = { trust_domain_id: trustDomain.name };
    try {
      await measureCall({ metrics, clock }, 'bundle_manager.fetch.federated_bundle', () => this.#take(labels), labels);
      this.#failures = 0;
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      this.#failures += 1;
      logger.error('Fetching a federated bundle failed; the last good one stays', {
        bundle_endpoint_url: url,
        failures: this.#failures,
        error,
      });
      throw error;
    }
  }

  async #take(labels: { readonly trust_domain_id: string }): Promise<void> {
    const { bundles, trust, metrics, logger } = this.#parts;
    const { signal } = this.#abort;
    await this.#bootstrap();
    const { bundle, peer, url, ignored } = await fetchBundle(this.relationship, trust, signal);
    signal.throwIfAborted();
    if (ignored.length > 0) logger.warn('Keys of a federated bundle were ignored', { ignored });
    const isNew = await bundles.takeFetched(bundle);
    const fields = { url, peer, sequence: String(bundle.sequence), x509_authorities: bundle.x509Authorities.length };
    if (isNew) {
      metrics.counter('bundle_manager.update.federated_bundle', labels);
      logger.info('Federated bundle refreshed', fields);
    } else {
      logger.debug('Federated bundle is unchanged', fields);
    }
  }

  /** Only ever the very first bundle comes from there. */
  async #bootstrap(): Promise<void> {
    const { bundles, trust, logger } = this.#parts;
    const { first, trustDomain } = this.relationship;
    if (first === undefined || bundles.bundleFor(trustDomain) !== undefined) return;
    const { signal } = this.#abort;
    const bundle = await firstBundle(first, this.relationship, trust, signal);
    signal.throwIfAborted();
    await bundles.takeFetched(bundle);
    logger.info('First bundle of a federated trust domain stored', { source: first.kind });
  }
}
