import type { types } from '@steeple/proto/server-api';
import { idText } from '../spiffe-id-flag.ts';
import { expiry, span } from './relative-time.ts';
import { type Column, details, table } from './table.ts';

type Entry = types.Entry;

const selectorsOf = (entry: Entry): string => entry.selectors.map(({ type, value }) => `${type}:${value}`).join(', ');
const ttl = (seconds: number): string => (seconds === 0 ? 'default' : span(seconds));

function traits(entry: Entry): string {
  const on = [entry.admin && 'admin', entry.downstream && 'downstream', entry.storeSvid && 'store-svid'];
  return on.filter((trait) => trait !== false).join(', ');
}

export function entryTable(entries: readonly Entry[], now: number, look: { wide: boolean; colour: boolean }): string {
  if (entries.length === 0) return 'no entries; create one with `steeple entry create`';
  const columns: Column<Entry>[] = [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'SPIFFE ID', cell: ({ spiffeId }) => idText(spiffeId) },
    { title: 'PARENT', cell: ({ parentId }) => idText(parentId), wide: true },
    { title: 'SELECTORS', cell: selectorsOf },
    { title: 'X509 TTL', cell: ({ x509SvidTtl }) => ttl(x509SvidTtl) },
    { title: 'JWT TTL', cell: ({ jwtSvidTtl }) => ttl(jwtSvidTtl), wide: true },
    { title: 'DNS NAMES', cell: ({ dnsNames }) => dnsNames.join(', '), wide: true },
    { title: 'FEDERATES WITH', cell: ({ federatesWith }) => federatesWith.join(', '), wide: true },
    { title: 'HINT', cell: ({ hint }) => hint, wide: true },
    { title: 'TRAITS', cell: traits, wide: true },
    { title: 'REVISION', cell: ({ revisionNumber }) => String(revisionNumber), wide: true },
    { title: 'EXPIRES', cell: ({ expiresAt }) => expiry(Number(expiresAt), now) },
  ];
  return table(entries, columns, look);
}

export function entryDetails(entry: Entry, now: number): string {
  return details([
    ['entry', entry.id],
    ['SPIFFE ID', idText(entry.spiffeId)],
    ['parent', idText(entry.parentId)],
    ['selectors', selectorsOf(entry)],
    ['X.509 TTL', ttl(entry.x509SvidTtl)],
    ['JWT TTL', ttl(entry.jwtSvidTtl)],
    ['DNS names', entry.dnsNames.join(', ') || '-'],
    ['federates with', entry.federatesWith.join(', ') || '-'],
    ['hint', entry.hint || '-'],
    ['traits', traits(entry) || '-'],
    ['revision', String(entry.revisionNumber)],
    ['expires', expiry(Number(entry.expiresAt), now)],
  ]);
}
