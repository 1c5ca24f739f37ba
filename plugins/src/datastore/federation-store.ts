import type { FederationRelationship } from '@steeple/core';
import type { TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { Page, PageRequest } from './page.ts';

/** Relationships to other trust domains. A relationship and its bundle are apart: deleting one keeps the other. */
export interface FederationStore {
  /**
   * Stores a relationship and, in the same step, the other domain's first bundle if one is given.
   *
   * @throws {IssuerError} `already-exists`
   */
  create(relationship: FederationRelationship, bundle?: TrustBundle): Promise<void>;
  /** @throws {IssuerError} `not-found`; what `change` throws comes through. */
  update(
    trustDomain: TrustDomain,
    change: (old: FederationRelationship) => FederationRelationship,
    bundle?: TrustBundle,
  ): Promise<FederationRelationship>;
  /** @throws {IssuerError} `not-found` */
  delete(trustDomain: TrustDomain): Promise<void>;
  get(trustDomain: TrustDomain): Promise<FederationRelationship | undefined>;
  list(page?: PageRequest): Promise<Page<FederationRelationship>>;
}
