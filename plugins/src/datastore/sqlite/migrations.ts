import type Sqlite from 'better-sqlite3';

/** Marks a file as ours (`PRAGMA application_id`): "STPL". */
export const APPLICATION_ID = 0x5354504c;

/**
 * How the schema came to be, step by step; step n leads to version n + 1. Steps are never edited once released.
 *
 * `row` numbers are never reused, so that page tokens stay valid. Times are Unix seconds, sets are child tables with an
 * index from the member, `selectors_key` stands for the exact set of an entry's selectors.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE bundles (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    trust_domain TEXT NOT NULL UNIQUE,
    sequence TEXT NOT NULL,
    refresh_hint INTEGER NOT NULL,
    x509_authorities TEXT NOT NULL,
    jwt_authorities TEXT NOT NULL,
    wit_authorities TEXT NOT NULL
  ) STRICT;

  CREATE TABLE entries (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    spiffe_id TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    selectors_key TEXT NOT NULL,
    x509_svid_ttl REAL NOT NULL,
    jwt_svid_ttl REAL NOT NULL,
    admin INTEGER NOT NULL,
    downstream INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    store_svid INTEGER NOT NULL,
    hint TEXT NOT NULL,
    disable_x509_svid_prefetch INTEGER NOT NULL,
    jwt_svid_include_jti INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX entries_similar ON entries (spiffe_id, parent_id, selectors_key);
  CREATE INDEX entries_parent ON entries (parent_id);
  CREATE INDEX entries_expiry ON entries (expires_at) WHERE expires_at > 0;

  CREATE TABLE entry_selectors (
    owner INTEGER NOT NULL REFERENCES entries (row) ON DELETE CASCADE,
    member TEXT NOT NULL,
    PRIMARY KEY (owner, member)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entry_selectors_member ON entry_selectors (member);

  CREATE TABLE entry_federates_with (
    owner INTEGER NOT NULL REFERENCES entries (row) ON DELETE CASCADE,
    member TEXT NOT NULL REFERENCES bundles (trust_domain),
    position INTEGER NOT NULL,
    PRIMARY KEY (owner, member)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entry_federates_with_member ON entry_federates_with (member);

  CREATE TABLE entry_dns_names (
    owner INTEGER NOT NULL REFERENCES entries (row) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (owner, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE agents (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    spiffe_id TEXT NOT NULL UNIQUE,
    attestation_type TEXT NOT NULL,
    serial TEXT NOT NULL,
    expires_at REAL NOT NULL,
    new_serial TEXT NOT NULL,
    new_expires_at REAL NOT NULL,
    can_reattest INTEGER NOT NULL,
    agent_version TEXT NOT NULL
  ) STRICT;
  CREATE INDEX agents_expiry ON agents (expires_at);

  CREATE TABLE agent_selectors (
    owner INTEGER NOT NULL REFERENCES agents (row) ON DELETE CASCADE,
    member TEXT NOT NULL,
    PRIMARY KEY (owner, member)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX agent_selectors_member ON agent_selectors (member);

  CREATE TABLE join_tokens (
    digest BLOB PRIMARY KEY NOT NULL,
    expires_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE federation (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    trust_domain TEXT NOT NULL UNIQUE,
    bundle_endpoint_url TEXT NOT NULL,
    endpoint_spiffe_id TEXT
  ) STRICT;

  CREATE TABLE authorities (
    kind TEXT NOT NULL,
    slot TEXT NOT NULL,
    status TEXT NOT NULL,
    authority_id TEXT NOT NULL,
    issued_at REAL NOT NULL,
    not_after REAL NOT NULL,
    key_id TEXT NOT NULL,
    public_key BLOB NOT NULL,
    certificate BLOB,
    upstream_chain BLOB,
    upstream_authority_id TEXT,
    tainted INTEGER NOT NULL,
    PRIMARY KEY (kind, slot)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE audit_leaves (
    idx INTEGER PRIMARY KEY,
    entry BLOB NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;

  CREATE TABLE audit_tiles (
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, idx)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit_log (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    edge BLOB NOT NULL,
    checkpoint TEXT,
    checkpoint_size INTEGER NOT NULL
  ) STRICT;
  INSERT INTO audit_log (one, size, edge, checkpoint_size) VALUES (1, 0, x'', 0);
  `,
];

/** The version this program writes and reads. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings a database from `version` to the newest schema; each step is there whole or not at all. */
export function migrate(connection: Sqlite.Database, version: number, migrations = MIGRATIONS): void {
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    connection
      .transaction(() => {
        connection.exec(sql);
        connection.pragma(`application_id = ${APPLICATION_ID}`);
        connection.pragma(`user_version = ${index + 1}`);
      })
      .immediate();
  }
}
