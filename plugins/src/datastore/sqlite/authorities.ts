import type { AuthorityKind, AuthoritySlot, AuthoritySlots } from '@steeple/core';
import type { TrustBundle } from '@steeple/spiffe';
import type { AuthorityJournal } from '../authority-journal.ts';
import type { BundleExpectation } from '../bundle-store.ts';
import { putBundle } from './bundles.ts';
import type { Database, Parameter } from './database.ts';

interface AuthorityRow {
  readonly kind: AuthorityKind;
  readonly slot: AuthoritySlot['slot'];
  readonly status: AuthoritySlot['status'];
  readonly authority_id: string;
  readonly issued_at: number;
  readonly not_after: number;
  readonly key_id: string;
  readonly public_key: Uint8Array;
  readonly certificate: Uint8Array | null;
  readonly upstream_chain: Uint8Array | null;
  readonly upstream_authority_id: string | null;
  readonly tainted: number;
}

const INSERT = `INSERT INTO authorities (kind, slot, status, authority_id, issued_at, not_after, key_id, public_key,
    certificate, upstream_chain, upstream_authority_id, tainted)
  VALUES (@kind, @slot, @status, @authority_id, @issued_at, @not_after, @key_id, @public_key,
    @certificate, @upstream_chain, @upstream_authority_id, @tainted)`;

const KINDS: readonly AuthorityKind[] = ['x509', 'jwt', 'wit'];

export class SqliteAuthorities implements AuthorityJournal {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async load(): Promise<AuthoritySlots> {
    const rows = this.#db.all<AuthorityRow>('SELECT * FROM authorities ORDER BY kind, slot');
    const slotsOf = (kind: AuthorityKind) => rows.filter((row) => row.kind === kind).map(toSlot);
    return { x509: slotsOf('x509'), jwt: slotsOf('jwt'), wit: slotsOf('wit') };
  }

  async save(slots: AuthoritySlots, bundle?: TrustBundle, expected?: BundleExpectation): Promise<void> {
    await this.#db.write((changes) => {
      this.#db.run('DELETE FROM authorities');
      for (const kind of KINDS) {
        for (const slot of slots[kind]) this.#db.run(INSERT, columns(kind, slot));
      }
      if (bundle !== undefined) putBundle(this.#db, bundle, expected, changes);
    });
  }
}

function columns(kind: AuthorityKind, slot: AuthoritySlot): Record<string, Parameter> {
  return {
    kind,
    slot: slot.slot,
    status: slot.status,
    authority_id: slot.authorityId,
    issued_at: slot.issuedAt,
    not_after: slot.notAfter,
    key_id: slot.keyId,
    public_key: slot.publicKeySpki,
    certificate: slot.certificateDer ?? null,
    upstream_chain: slot.upstreamChainDer ?? null,
    upstream_authority_id: slot.upstreamAuthorityId ?? null,
    tainted: Number(slot.tainted),
  };
}

function toSlot(row: AuthorityRow): AuthoritySlot {
  return {
    slot: row.slot,
    status: row.status,
    authorityId: row.authority_id,
    issuedAt: row.issued_at,
    notAfter: row.not_after,
    keyId: row.key_id,
    publicKeySpki: row.public_key,
    ...(row.certificate !== null && { certificateDer: row.certificate }),
    ...(row.upstream_chain !== null && { upstreamChainDer: row.upstream_chain }),
    ...(row.upstream_authority_id !== null && { upstreamAuthorityId: row.upstream_authority_id }),
    tainted: row.tainted === 1,
  };
}
