import { formatSelector, IssuerError, type RegistrationEntry, type Selector, sortSelectors } from '@steeple/core';
import { SpiffeId } from '@steeple/spiffe';
import type { Database, Parameter } from './database.ts';
import { addMembers, type ChildTable, readMembers, replaceMembers } from './members.ts';
import { Remembered } from './remembered.ts';
import { keyOfTexts, selectorFromText, selectorTexts } from './selector-text.ts';

/** A row of the table `entries`. */
export interface EntryRow {
  readonly row: number;
  readonly id: string;
  readonly spiffe_id: string;
  readonly parent_id: string;
  readonly x509_svid_ttl: number;
  readonly jwt_svid_ttl: number;
  readonly admin: number;
  readonly downstream: number;
  readonly expires_at: number;
  readonly store_svid: number;
  readonly hint: string;
  readonly disable_x509_svid_prefetch: number;
  readonly jwt_svid_include_jti: number;
  readonly revision: number;
  readonly created_at: number;
}

const SELECTORS = { table: 'entry_selectors', column: 'member', order: 'member' };
const FEDERATES_WITH = { table: 'entry_federates_with', column: 'member', order: 'position' };
const DNS_NAMES = { table: 'entry_dns_names', column: 'name', order: 'position' };

const INSERT = `INSERT INTO entries (id, spiffe_id, parent_id, selectors_key, x509_svid_ttl, jwt_svid_ttl, admin,
  downstream, expires_at, store_svid, hint, disable_x509_svid_prefetch, jwt_svid_include_jti, revision, created_at)
  VALUES (@id, @spiffe_id, @parent_id, @selectors_key, @x509_svid_ttl, @jwt_svid_ttl, @admin, @downstream, @expires_at,
  @store_svid, @hint, @disable_x509_svid_prefetch, @jwt_svid_include_jti, @revision, @created_at)`;

const UPDATE = `UPDATE entries SET spiffe_id = @spiffe_id, parent_id = @parent_id, selectors_key = @selectors_key,
  x509_svid_ttl = @x509_svid_ttl, jwt_svid_ttl = @jwt_svid_ttl, admin = @admin, downstream = @downstream,
  expires_at = @expires_at, store_svid = @store_svid, hint = @hint,
  disable_x509_svid_prefetch = @disable_x509_svid_prefetch, jwt_svid_include_jti = @jwt_svid_include_jti,
  revision = @revision WHERE id = @id`;

/** Adds an entry inside a transaction. */
export function insertEntry(db: Database, entry: RegistrationEntry): void {
  requireBundles(db, entry.federatesWith);
  const row = db.insert(INSERT, { ...columns(entry), created_at: entry.createdAt });
  for (const [table, values] of partsOf(entry)) addMembers(db, table, row, values);
}

/** Replaces an entry inside a transaction and returns it as stored. */
export function replaceEntry(db: Database, row: number, changed: RegistrationEntry): RegistrationEntry {
  const entry = asStored(changed);
  requireBundles(db, entry.federatesWith);
  db.run(UPDATE, columns(entry));
  for (const [table, values] of partsOf(entry)) replaceMembers(db, table, row, values);
  return entry;
}

/** The entry with the same SPIFFE ID, parent and exact selectors, the oldest if there are several. */
export function findSimilar(db: Database, entry: RegistrationEntry): RegistrationEntry | undefined {
  // Without ORDER BY: with it SQLite plans this anew for each value, which took four times as long as the search.
  const rows = db.all<EntryRow>('SELECT * FROM entries WHERE spiffe_id = ? AND parent_id = ? AND selectors_key = ?', [
    entry.spiffeId.toString(),
    entry.parentId.toString(),
    keyOf(entry.selectors),
  ]);
  return rows.length === 0 ? undefined : entriesOf(db, [rows.reduce((a, b) => (a.row < b.row ? a : b))])[0];
}

/** Rows with their child rows as entries, in the same order. */
export function entriesOf(db: Database, rows: readonly EntryRow[]): RegistrationEntry[] {
  const owners = rows.map(({ row }) => row);
  const selectors = readMembers(db, SELECTORS, owners);
  const domains = readMembers(db, FEDERATES_WITH, owners);
  const names = readMembers(db, DNS_NAMES, owners);
  return rows.map((row) =>
    compact({
      id: row.id,
      spiffeId: SpiffeId.parse(row.spiffe_id),
      parentId: parents.get(row.parent_id),
      selectors: sortSelectors((selectors.get(row.row) ?? []).map(selectorFromText)),
      x509SvidTtl: row.x509_svid_ttl,
      jwtSvidTtl: row.jwt_svid_ttl,
      federatesWith: domains.get(row.row) ?? NONE,
      admin: row.admin === 1,
      downstream: row.downstream === 1,
      expiresAt: row.expires_at,
      dnsNames: names.get(row.row) ?? NONE,
      storeSvid: row.store_svid === 1,
      hint: row.hint,
      disableX509SvidPrefetch: row.disable_x509_svid_prefetch === 1,
      jwtSvidIncludeJti: row.jwt_svid_include_jti === 1,
      revision: row.revision,
      createdAt: row.created_at,
    }),
  );
}

/** The entry as it comes back from the file. */
export function asStored(entry: RegistrationEntry): RegistrationEntry {
  return compact({
    ...entry,
    parentId: parents.get(entry.parentId.toString()),
    selectors: selectorTexts(entry.selectors).map(selectorFromText),
    federatesWith: [...new Set(entry.federatesWith)],
  });
}

const parents = new Remembered((text) => SpiffeId.parse(text));

const NONE: readonly string[] = Object.freeze([]);

/**
 * A copy that takes as little memory as it can: a server holds every entry. Written out, because an object that was put
 * together from parts is larger; of empty lists there is one.
 */
const compact = (entry: RegistrationEntry): RegistrationEntry => ({
  id: entry.id,
  spiffeId: entry.spiffeId,
  parentId: entry.parentId,
  selectors: entry.selectors,
  x509SvidTtl: entry.x509SvidTtl,
  jwtSvidTtl: entry.jwtSvidTtl,
  federatesWith: entry.federatesWith.length === 0 ? NONE : entry.federatesWith,
  admin: entry.admin,
  downstream: entry.downstream,
  expiresAt: entry.expiresAt,
  dnsNames: entry.dnsNames.length === 0 ? NONE : entry.dnsNames,
  storeSvid: entry.storeSvid,
  hint: entry.hint,
  disableX509SvidPrefetch: entry.disableX509SvidPrefetch,
  jwtSvidIncludeJti: entry.jwtSvidIncludeJti,
  revision: entry.revision,
  createdAt: entry.createdAt,
});

function columns(entry: RegistrationEntry): Record<string, Parameter> {
  return {
    id: entry.id,
    spiffe_id: entry.spiffeId.toString(),
    parent_id: entry.parentId.toString(),
    selectors_key: keyOf(entry.selectors),
    x509_svid_ttl: entry.x509SvidTtl,
    jwt_svid_ttl: entry.jwtSvidTtl,
    admin: Number(entry.admin),
    downstream: Number(entry.downstream),
    expires_at: entry.expiresAt,
    store_svid: Number(entry.storeSvid),
    hint: entry.hint,
    disable_x509_svid_prefetch: Number(entry.disableX509SvidPrefetch),
    jwt_svid_include_jti: Number(entry.jwtSvidIncludeJti),
    revision: entry.revision,
  };
}

/** Of a stored entry: sorted, and without repetitions. */
function partsOf(entry: RegistrationEntry): readonly (readonly [ChildTable, readonly string[]])[] {
  return [
    [SELECTORS, entry.selectors.map(formatSelector)],
    [FEDERATES_WITH, entry.federatesWith],
    [DNS_NAMES, entry.dnsNames],
  ];
}

const keyOf = (sorted: readonly Selector[]): string => keyOfTexts(sorted.map(formatSelector));

function requireBundles(db: Database, trustDomains: readonly string[]): void {
  for (const name of trustDomains) {
    if (db.get('SELECT 1 FROM bundles WHERE trust_domain = ?', [name]) !== undefined) continue;
    throw new IssuerError('invalid-argument', `unable to find federated bundle "spiffe://${name}"`);
  }
}
