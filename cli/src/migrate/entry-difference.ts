import type { types } from '@steeple/proto/server-api';
import { idText } from '../spiffe-id-flag.ts';

type Field = readonly [name: string, value: (entry: types.Entry) => string];

/** What makes an entry; its revision and age are the server's own. The order of selectors and trust domains is none. */
const FIELDS: readonly Field[] = [
  ['SPIFFE ID', ({ spiffeId }) => idText(spiffeId)],
  ['parent', ({ parentId }) => idText(parentId)],
  [
    'selectors',
    ({ selectors }) => [...new Set(selectors.map(({ type, value }) => `${type}:${value}`))].toSorted().join(' '),
  ],
  ['X509-SVID TTL', ({ x509SvidTtl }) => String(x509SvidTtl)],
  ['JWT-SVID TTL', ({ jwtSvidTtl }) => String(jwtSvidTtl)],
  ['federates with', ({ federatesWith }) => federatesWith.map(bare).toSorted().join(' ')],
  ['admin', ({ admin }) => String(admin)],
  ['downstream', ({ downstream }) => String(downstream)],
  ['expiry', ({ expiresAt }) => String(expiresAt)],
  ['DNS names', ({ dnsNames }) => dnsNames.join(' ')],
  ['store SVID', ({ storeSvid }) => String(storeSvid)],
  ['hint', ({ hint }) => hint],
  ['disable prefetch', ({ additionalAttributes }) => String(additionalAttributes?.disableX509SvidPrefetch ?? false)],
  ['include jti', ({ additionalAttributes }) => String(additionalAttributes?.jwtSvidIncludeJti ?? false)],
];

const bare = (domain: string): string => domain.replace(/^spiffe:\/\//, '');

/** The fields in which two entries differ, with both values. */
export const differences = (old: types.Entry, next: types.Entry): string[] =>
  FIELDS.flatMap(([name, value]) => {
    const [before, after] = [value(old), value(next)];
    return before === after ? [] : [`${name}: ${before || 'none'} → ${after || 'none'}`];
  });
