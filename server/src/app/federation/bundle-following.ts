import { type FederationRelationship, IssuerError } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { FederationStore } from '@steeple/plugins';
import type { TrustDomain } from '@steeple/spiffe';
import { BundleUpdater, type BundleUpdaterParts, type FollowedRelationship } from './bundle-updater.ts';

/** Seconds between two looks at the stored relationships, for what other servers on the same store have changed. */
const LOOK = 10;

export interface BundleFollowingParts extends BundleUpdaterParts {
  readonly store: FederationStore;
  /** From the configuration; they win over stored ones of the same trust domain. */
  readonly configured: readonly FollowedRelationship[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Follows the bundles of all trust domains that there is a relationship with.
 *
 * 1. What is followed is what is configured and stored at the last look; a look follows every change by this server.
 * 2. A relationship that changed is followed anew; one that is gone is not asked again, and what was under way for it
 *    stores nothing any more.
 */
export class BundleFollowing {
  readonly #parts: BundleFollowingParts;
  readonly #updaters = new Map<string, BundleUpdater>();
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: BundleFollowingParts) {
    this.#parts = parts;
  }

  /** Until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.look().catch((error: unknown) => {
          this.#parts.logger.error('The federation relationships cannot be read', { error });
        });
        await this.#parts.clock.sleep(LOOK, signal);
      }
    } finally {
      this.#stopped = true;
      await this.#looking.catch(() => {});
      await Promise.all([...this.#updaters.values()].map((updater) => updater.stop()));
      this.#updaters.clear();
    }
  }

  /** Follows what there is now. Resolves when what is not followed any more is at rest. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(
      () => this.#look(),
      () => this.#look(),
    );
    return this.#looking;
  }

  /** Fetches the bundle of one trust domain now. @throws {IssuerError} `not-found`, `internal` */
  async refresh(trustDomain: TrustDomain): Promise<void> {
    await this.look();
    const updater = this.#updaters.get(trustDomain.name);
    if (updater === undefined) {
      throw new IssuerError('not-found', `no relationship with trust domain "${trustDomain.name}"`);
    }
    try {
      await updater.refresh();
    } catch (cause) {
      throw new IssuerError('internal', `failed to refresh bundle: ${reasonOf(cause)}`, { cause });
    }
  }

  /** A bundle was stored: endpoints of that trust domain may be recognised from now on. */
  bundleChanged(trustDomain: string): void {
    for (const updater of this.#updaters.values()) {
      const { profile } = updater.relationship;
      if (profile.kind === 'https_spiffe' && profile.endpointSpiffeId.trustDomain.name === trustDomain)
        updater.tryAgain();
    }
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const wanted = await this.#wanted();
    const stale = [...this.#updaters].filter(([name, { relationship }]) => !isSame(relationship, wanted.get(name)));
    for (const [name] of stale) this.#updaters.delete(name);
    await Promise.all(stale.map(([name, updater]) => this.#end(name, updater, wanted.has(name))));
    for (const [name, relationship] of wanted) {
      if (!this.#updaters.has(name)) this.#begin(name, relationship);
    }
  }

  #begin(name: string, relationship: FollowedRelationship): void {
    const updater = new BundleUpdater(relationship, this.#parts);
    this.#updaters.set(name, updater);
    updater.start();
    this.#parts.logger.info('Trust domain is now followed', {
      trust_domain: name,
      bundle_endpoint_url: relationship.bundleEndpointUrl,
      bundle_endpoint_profile: relationship.profile.kind,
    });
  }

  async #end(name: string, updater: BundleUpdater, isReplaced: boolean): Promise<void> {
    await updater.stop();
    if (!isReplaced) this.#parts.logger.info('Trust domain is not followed any more', { trust_domain: name });
  }

  async #wanted(): Promise<Map<string, FollowedRelationship>> {
    const wanted = new Map<string, FollowedRelationship>();
    const { items } = await this.#parts.store.list();
    for (const relationship of [...items, ...this.#parts.configured])
      wanted.set(relationship.trustDomain.name, relationship);
    return wanted;
  }
}

/** With SPIRE's words before what the network or the other side is the reason of. */
const reasonOf = (cause: unknown): string => {
  if (cause instanceof IssuerError) return cause.message;
  return `failed to fetch federated bundle from endpoint: ${cause instanceof Error ? cause.message : String(cause)}`;
};

const isSame = (a: FederationRelationship, b: FederationRelationship | undefined): boolean =>
  b !== undefined &&
  a.trustDomain.equals(b.trustDomain) &&
  a.bundleEndpointUrl === b.bundleEndpointUrl &&
  profileText(a) === profileText(b);

const profileText = ({ profile }: FederationRelationship): string =>
  profile.kind === 'https_web' ? profile.kind : `${profile.kind} ${profile.endpointSpiffeId.toString()}`;
