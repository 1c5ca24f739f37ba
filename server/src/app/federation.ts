import { checkFederationRelationship, type FederationRelationship } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import type { FederationStore, Page, PageRequest } from '@steeple/plugins';
import type { TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { Bundles } from './bundles.ts';
import type { BundleFollowing } from './federation/bundle-following.ts';

export interface FederationParts {
  readonly trustDomain: TrustDomain;
  readonly store: FederationStore;
  readonly bundles: Bundles;
  readonly following: BundleFollowing;
  readonly logger: Logger;
}

/** The stored relationships to other trust domains; those of the configuration are only followed. */
export class Federation {
  readonly #parts: FederationParts;

  constructor(parts: FederationParts) {
    this.#parts = parts;
  }

  list(page?: PageRequest): Promise<Page<FederationRelationship>> {
    return this.#parts.store.list(page);
  }

  get(trustDomain: TrustDomain): Promise<FederationRelationship | undefined> {
    return this.#parts.store.get(trustDomain);
  }

  /**
   * Stores a relationship and, if given, the other domain's first bundle; its endpoint is asked at once.
   *
   * @throws {IssuerError} `invalid-argument`, `already-exists`
   */
  async create(relationship: FederationRelationship, bundle?: TrustBundle): Promise<FederationRelationship> {
    checkFederationRelationship(relationship, this.#parts.trustDomain);
    this.#check(bundle);
    await this.#parts.store.create(relationship, bundle);
    await this.#follow();
    return relationship;
  }

  /** @throws {IssuerError} `invalid-argument`, `not-found` */
  async update(
    trustDomain: TrustDomain,
    change: (old: FederationRelationship) => FederationRelationship,
    bundle?: TrustBundle,
  ): Promise<FederationRelationship> {
    this.#check(bundle);
    const updated = await this.#parts.store.update(trustDomain, change, bundle);
    await this.#follow();
    return updated;
  }

  /**
   * The bundle of the other trust domain stays. When this resolves, its endpoint is not asked any more.
   *
   * @throws {IssuerError} `not-found`
   */
  async delete(trustDomain: TrustDomain): Promise<void> {
    await this.#parts.store.delete(trustDomain);
    await this.#follow();
  }

  /** Fetches the bundle now. @throws {IssuerError} `not-found` without a relationship, `internal` with the reason */
  refresh(trustDomain: TrustDomain): Promise<void> {
    return this.#parts.following.refresh(trustDomain);
  }

  #check(bundle: TrustBundle | undefined): void {
    if (bundle !== undefined) this.#parts.bundles.checkForeign(bundle);
  }

  /** What was stored stays stored, whatever becomes of this. */
  async #follow(): Promise<void> {
    await this.#parts.following.look().catch((error: unknown) => {
      this.#parts.logger.error('The federation relationships cannot be read', { error });
    });
  }
}
