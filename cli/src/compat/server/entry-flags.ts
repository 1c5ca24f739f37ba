import type { MessageInitShape } from '@bufbuild/protobuf';
import type { types } from '@steeple/proto/server-api';
import { CommandError } from '../command-error.ts';
import { boolFlag, intFlag, listFlag, stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec, FlagValues } from '../go/flag-set.ts';
import { readSelector } from '../matching.ts';
import { readId, type WireId } from '../spiffe-id.ts';
import { int32 } from './int32.ts';

export type EntryInit = Exclude<MessageInitShape<typeof types.EntrySchema>, types.Entry>;

/** The flags that creating and updating share. */
export const entryFlags: readonly FlagSpec[] = [
  { name: 'parentID', kind: stringFlag, usage: "The SPIFFE ID of this record's parent" },
  { name: 'spiffeID', kind: stringFlag, usage: 'The SPIFFE ID that this record represents' },
  {
    name: 'x509SVIDTTL',
    kind: intFlag,
    usage: 'The lifetime, in seconds, for x509-SVIDs issued based on this registration entry.',
  },
  {
    name: 'jwtSVIDTTL',
    kind: intFlag,
    usage: 'The lifetime, in seconds, for JWT-SVIDs issued based on this registration entry.',
  },
  {
    name: 'data',
    kind: stringFlag,
    usage: "Path to a file containing registration JSON (optional). If set to '-', read the JSON from stdin.",
  },
  { name: 'selector', kind: listFlag, usage: 'A colon-delimited type:value selector. Can be used more than once' },
  {
    name: 'federatesWith',
    kind: listFlag,
    usage: 'SPIFFE ID of a trust domain to federate with. Can be used more than once',
  },
  {
    name: 'admin',
    kind: boolFlag,
    usage: "If set, the SPIFFE ID in this entry will be granted access to the SPIRE Server's management APIs",
  },
  {
    name: 'storeSVID',
    kind: boolFlag,
    usage:
      'A boolean value that, when set, indicates that the resulting issued SVID from this entry must be stored through an SVIDStore plugin',
  },
  {
    name: 'downstream',
    kind: boolFlag,
    usage: 'A boolean value that, when set, indicates that the entry describes a downstream SPIRE server',
  },
  {
    name: 'entryExpiry',
    kind: intFlag,
    usage: 'An expiry, from epoch in seconds, for the resulting registration entry to be pruned',
  },
  {
    name: 'dns',
    kind: listFlag,
    usage:
      'A DNS name that will be included in SVIDs issued based on this entry, where appropriate. Can be used more than once',
  },
  { name: 'hint', kind: stringFlag, usage: 'The entry hint, used to disambiguate entries with the same SPIFFE ID' },
];

export const PREFETCH_USAGE = 'A boolean value that, when set, disables prefetching X509 SVID for this entry';
export const JTI_USAGE =
  "A boolean value that, when set, includes a unique 'jti' claim in JWT-SVIDs issued for this entry and bypasses the agent JWT-SVID cache";

/** What both commands check of their flags last. */
export function checkLifetimes(flags: FlagValues): void {
  if (flags.text('spiffeID') === '') throw new CommandError('a SPIFFE ID is required');
  if (flags.number('x509SVIDTTL') < 0n) throw new CommandError('a positive x509-SVID TTL is required');
  if (flags.number('jwtSVIDTTL') < 0n) throw new CommandError('a positive JWT-SVID TTL is required');
}

/** The entry that the flags describe; `ids` are read by the command, in its own order. */
export function entryOf(flags: FlagValues, ids: { spiffeId: WireId; parentId: WireId }): EntryInit {
  const x509SvidTtl = int32(flags.number('x509SVIDTTL'), 'X509 SVID TTL');
  const jwtSvidTtl = int32(flags.number('jwtSVIDTTL'), 'JWT SVID TTL');
  const disableX509SvidPrefetch = flags.isOn('disableX509SVIDPrefetch');
  const jwtSvidIncludeJti = flags.isOn('jwtSVIDIncludeJTI');
  return {
    id: flags.text('entryID'),
    ...ids,
    x509SvidTtl,
    jwtSvidTtl,
    selectors: flags.list('selector').map(readSelector),
    federatesWith: flags.list('federatesWith'),
    admin: flags.isOn('admin'),
    downstream: flags.isOn('downstream'),
    storeSvid: flags.isOn('storeSVID'),
    expiresAt: flags.number('entryExpiry'),
    dnsNames: flags.list('dns'),
    hint: flags.text('hint'),
    ...((disableX509SvidPrefetch || jwtSvidIncludeJti) && {
      additionalAttributes: { disableX509SvidPrefetch, jwtSvidIncludeJti },
    }),
  };
}

export { readId };
