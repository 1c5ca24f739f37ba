import { checkEntry, draftEntry, IssuerError } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import { SpiffeError, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { idText } from '../spiffe-id-flag.ts';

export interface EntryProblem {
  readonly why: string;
  readonly advice: string;
}

/** Why a Steeple server would not take an entry, though a SPIRE server has it, and what can be done. */
export function judgeEntry(entry: types.Entry, trustDomain: string): EntryProblem | undefined {
  try {
    checkEntry(draftOf(entry), TrustDomain.parse(trustDomain));
    return undefined;
  } catch (error) {
    if (!(error instanceof IssuerError) && !(error instanceof SpiffeError)) throw error;
    return { why: error.message, advice: adviceFor(error.message) };
  }
}

const draftOf = (entry: types.Entry): Parameters<typeof checkEntry>[0] =>
  draftEntry({
    id: entry.id,
    spiffeId: SpiffeId.parse(idText(entry.spiffeId)),
    parentId: SpiffeId.parse(idText(entry.parentId)),
    selectors: entry.selectors,
    x509SvidTtl: entry.x509SvidTtl,
    jwtSvidTtl: entry.jwtSvidTtl,
    federatesWith: entry.federatesWith.map((domain) => domain.replace(/^spiffe:\/\//, '')),
    admin: entry.admin,
    downstream: entry.downstream,
    expiresAt: Number(entry.expiresAt),
    dnsNames: entry.dnsNames,
    storeSvid: entry.storeSvid,
    hint: entry.hint,
    disableX509SvidPrefetch: entry.additionalAttributes?.disableX509SvidPrefetch ?? false,
    jwtSvidIncludeJti: entry.additionalAttributes?.jwtSvidIncludeJti ?? false,
  });

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /2048 bytes/,
    'give the workload a SPIFFE ID of at most 2048 bytes, as the standard asks, and change whoever expects the old one',
  ],
  [
    /DNS name/,
    'remove the name from the entry, or write it as a host name (letters, digits, inner hyphens; "*." may lead)',
  ],
  [/selector type|selector value|selectors/, 'give the entry fewer or shorter selectors, or split it in two'],
  [/hint/, 'shorten the hint'],
  [/TTL/, 'set the lifetime to 0 (the default of the server) or to a number of seconds'],
  [/expiry/, 'set the expiry to 0 (never) or to a time'],
  [/entry ID/, 'create it anew under another entry ID: letters, digits, dots, dashes and underscores'],
  [/federated trust domain/, 'remove what is no trust domain from the entry'],
  [/store/, 'give the entry selectors of one type, and let it be prefetched'],
];

const adviceFor = (problem: string): string =>
  ADVICE.find(([pattern]) => pattern.test(problem))?.[1] ?? 'correct the entry on that server and migrate again';
