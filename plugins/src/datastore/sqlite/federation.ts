import { type FederationRelationship, IssuerError } from '@steeple/core';
import { SpiffeId, type TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { FederationStore } from '../federation-store.ts';
import type { Page, PageRequest } from '../page.ts';
import { putBundle } from './bundles.ts';
import type { Database, Parameter } from './database.ts';
import { cutPage, pageWindow } from './paging.ts';

interface FederationRow {
  readonly row: number;
  readonly trust_domain: string;
  readonly bundle_endpoint_url: string;
  /** Null for the profile https_web. */
  readonly endpoint_spiffe_id: string | null;
}

export class SqliteFederation implements FederationStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async create(relationship: FederationRelationship, bundle?: TrustBundle): Promise<void> {
    const sql = `INSERT INTO federation (trust_domain, bundle_endpoint_url, endpoint_spiffe_id)
      VALUES (@trust_domain, @bundle_endpoint_url, @endpoint_spiffe_id) ON CONFLICT DO NOTHING`;
    await this.#db.write((changes) => {
      if (this.#db.run(sql, columns(relationship)) === 0) {
        throw new IssuerError('already-exists', 'federation relationship already exists');
      }
      if (bundle !== undefined) putBundle(this.#db, bundle, undefined, changes);
    });
  }

  async update(
    trustDomain: TrustDomain,
    change: (old: FederationRelationship) => FederationRelationship,
    bundle?: TrustBundle,
  ): Promise<FederationRelationship> {
    const sql = `UPDATE federation SET bundle_endpoint_url = @bundle_endpoint_url,
      endpoint_spiffe_id = @endpoint_spiffe_id WHERE trust_domain = @trust_domain`;
    return this.#db.write((changes) => {
      const old = this.#find(trustDomain);
      if (old === undefined) throw notFound();
      const next = { ...change(old), trustDomain: old.trustDomain };
      this.#db.run(sql, columns(next));
      if (bundle !== undefined) putBundle(this.#db, bundle, undefined, changes);
      return next;
    });
  }

  async delete(trustDomain: TrustDomain): Promise<void> {
    await this.#db.write(() => {
      if (this.#db.run('DELETE FROM federation WHERE trust_domain = ?', [trustDomain.name]) === 0) throw notFound();
    });
  }

  async get(trustDomain: TrustDomain): Promise<FederationRelationship | undefined> {
    return this.#find(trustDomain);
  }

  async list(page?: PageRequest): Promise<Page<FederationRelationship>> {
    const window = pageWindow(page);
    const rows = this.#db.all<FederationRow>('SELECT * FROM federation WHERE row > ? ORDER BY row LIMIT ?', [
      window.after,
      window.limit,
    ]);
    return cutPage(rows, window, (kept) => kept.map(toRelationship));
  }

  #find(trustDomain: TrustDomain): FederationRelationship | undefined {
    const row = this.#db.get<FederationRow>('SELECT * FROM federation WHERE trust_domain = ?', [trustDomain.name]);
    return row && toRelationship(row);
  }
}

function columns({ trustDomain, bundleEndpointUrl, profile }: FederationRelationship): Record<string, Parameter> {
  return {
    trust_domain: trustDomain.name,
    bundle_endpoint_url: bundleEndpointUrl,
    endpoint_spiffe_id: profile.kind === 'https_spiffe' ? profile.endpointSpiffeId.toString() : null,
  };
}

function toRelationship(row: FederationRow): FederationRelationship {
  const id = row.endpoint_spiffe_id;
  return {
    trustDomain: TrustDomain.parse(row.trust_domain),
    bundleEndpointUrl: row.bundle_endpoint_url,
    profile: id === null ? { kind: 'https_web' } : { kind: 'https_spiffe', endpointSpiffeId: SpiffeId.parse(id) },
  };
}

function notFound(): IssuerError {
  return new IssuerError('not-found', 'federation relationship not found');
}
