import {
  type ClusterFederatedTrustDomain,
  checkEntry,
  type FederationRelationship,
  IssuerError,
  ownedRelationships,
  ownershipRecord,
  ownershipRecordId,
} from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import type { EntryStore } from '@steeple/plugins';
import { TrustDomain } from '@steeple/spiffe';
import type { Entries } from '../entries.ts';
import type { Federation } from '../federation.ts';

export interface RelationshipWriterParts {
  readonly trustDomain: TrustDomain;
  readonly prefix: string;
  readonly entries: Entries;
  readonly store: Pick<EntryStore, 'get'>;
  readonly federation: Federation;
  readonly logger: Logger;
}

type Tell = (what: string, error: Error) => void;

/** Makes the relationships be the declared ones; those that others made stay as they are. */
export class RelationshipWriter {
  readonly #parts: RelationshipWriterParts;

  constructor(parts: RelationshipWriterParts) {
    this.#parts = parts;
  }

  /** Of several objects for one trust domain the first counts. @returns how many were refused */
  async write(
    wanted: readonly ClusterFederatedTrustDomain[],
    { mayRemove, tell }: { readonly mayRemove: boolean; readonly tell: Tell },
  ): Promise<number> {
    const { prefix, store } = this.#parts;
    const owned = new Set(ownedRelationships(await store.get(ownershipRecordId(prefix))));
    const byName = new Map(wanted.toReversed().map((one) => [one.relationship.trustDomain.name, one]));
    let refused = 0;
    for (const [name, object] of byName) {
      const error = await this.#put(object, owned).catch((cause: unknown) => issuersOwn(cause));
      if (error === undefined) continue;
      refused += 1;
      tell(`ClusterFederatedTrustDomain ${object.name} for ${name}`, error);
    }
    if (!mayRemove) return refused;
    for (const name of [...owned].filter((one) => !byName.has(one))) await this.#remove(name, owned);
    return refused;
  }

  async #put({ relationship, bundle }: ClusterFederatedTrustDomain, owned: Set<string>): Promise<undefined> {
    const { federation, logger } = this.#parts;
    const { name } = relationship.trustDomain;
    const there = await federation.get(relationship.trustDomain);
    if (there && isSame(there, relationship)) return;
    if (there && !owned.has(name)) {
      throw new IssuerError('already-exists', 'a relationship that others made differs; delete it, or the object');
    }
    if (there) await federation.update(relationship.trustDomain, () => relationship, bundle);
    else {
      // Recorded before it is made: what is made is never forgotten.
      if (!owned.has(name)) await this.#record(owned.add(name));
      await federation.create(relationship, bundle);
    }
    logger.info(there ? 'Relationship changed' : 'Relationship made', { trust_domain_id: name });
  }

  async #remove(name: string, owned: Set<string>): Promise<void> {
    const { federation, logger } = this.#parts;
    await federation.delete(TrustDomain.parse(name)).catch((error: unknown) => {
      if (!(error instanceof IssuerError) || error.code !== 'not-found') throw error;
    });
    owned.delete(name);
    await this.#record(owned);
    logger.info('Relationship removed', { trust_domain_id: name });
  }

  async #record(owned: ReadonlySet<string>): Promise<void> {
    const { entries, store, trustDomain, prefix } = this.#parts;
    const id = ownershipRecordId(prefix);
    if (owned.size === 0) {
      await entries.delete([id]);
      return;
    }
    const draft = ownershipRecord(trustDomain, prefix, owned);
    checkEntry(draft, trustDomain);
    if (await store.get(id)) await entries.update(id, (old) => ({ ...old, ...draft }));
    else {
      const [made] = await entries.create([draft]);
      if (made !== undefined && 'error' in made) throw made.error;
    }
  }
}

const issuersOwn = (error: unknown): Error => {
  if (error instanceof IssuerError) return error;
  throw error;
};

const isSame = (a: FederationRelationship, b: FederationRelationship): boolean =>
  a.bundleEndpointUrl === b.bundleEndpointUrl &&
  (a.profile.kind === 'https_spiffe'
    ? b.profile.kind === 'https_spiffe' && a.profile.endpointSpiffeId.equals(b.profile.endpointSpiffeId)
    : b.profile.kind === 'https_web');
