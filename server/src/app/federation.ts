import { type FederationRelationship, IssuerError } from '@steeple/core';
import type { FederationStore, Page, PageRequest } from '@steeple/plugins';
import type { TrustBundle, TrustDomain } from '@steeple/spiffe';

/** The relationships to other trust domains. They are stored; fetching their bundles is not done yet. */
export class Federation {
  readonly #trustDomain: TrustDomain;
  readonly #store: FederationStore;

  constructor(trustDomain: TrustDomain, store: FederationStore) {
    this.#trustDomain = trustDomain;
    this.#store = store;
  }

  list(page?: PageRequest): Promise<Page<FederationRelationship>> {
    return this.#store.list(page);
  }

  get(trustDomain: TrustDomain): Promise<FederationRelationship | undefined> {
    return this.#store.get(trustDomain);
  }

  /** Stores a relationship and, if given, the other domain's first bundle. @throws {IssuerError} `invalid-argument`, `already-exists` */
  async create(relationship: FederationRelationship, bundle?: TrustBundle): Promise<FederationRelationship> {
    if (relationship.trustDomain.equals(this.#trustDomain)) {
      throw new IssuerError('invalid-argument', 'unable to create federation relationship for server trust domain');
    }
    await this.#store.create(relationship, bundle);
    return relationship;
  }

  /** @throws {IssuerError} `not-found` */
  update(
    trustDomain: TrustDomain,
    change: (old: FederationRelationship) => FederationRelationship,
    bundle?: TrustBundle,
  ): Promise<FederationRelationship> {
    return this.#store.update(trustDomain, change, bundle);
  }

  /** The bundle of the other trust domain stays. @throws {IssuerError} `not-found` */
  delete(trustDomain: TrustDomain): Promise<void> {
    return this.#store.delete(trustDomain);
  }

  /** @throws {IssuerError} `not-found` without a relationship; `unimplemented` otherwise, for now */
  async refresh(trustDomain: TrustDomain): Promise<void> {
    if (!(await this.get(trustDomain))) {
      throw new IssuerError('not-found', `no relationship with trust domain "${trustDomain.name}"`);
    }
    throw new IssuerError('unimplemented', 'fetching a federated bundle is not supported yet');
  }
}
