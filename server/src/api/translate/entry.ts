import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  checkEntry,
  type EntryDraft,
  type EntryFilter,
  IssuerError,
  type RegistrationEntry,
  requireMember,
} from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { readInt, wireTime } from './number.ts';
import { readMatch, readSelectorFilter, readSelectors, wireSelectors } from './selectors.ts';
import { prefixed, readId, readTrustDomain, type WireId, wireId } from './spiffe-id.ts';

export type WireEntry = MessageInitShape<typeof types.EntrySchema>;
type Mask = Readonly<Record<keyof Omit<types.EntryMask, '$typeName' | '$unknown'>, boolean>>;

/** The wire form of an entry. Without a mask it is whole; the ID is always there. */
export const wireEntry = (entry: RegistrationEntry, mask?: Mask): WireEntry => {
  const has = (field: keyof Mask): boolean => !mask || mask[field];
  return {
    id: entry.id,
    ...(has('spiffeId') && { spiffeId: wireId(entry.spiffeId) }),
    ...(has('parentId') && { parentId: wireId(entry.parentId) }),
    ...(has('selectors') && { selectors: wireSelectors(entry.selectors) }),
    ...(has('x509SvidTtl') && { x509SvidTtl: entry.x509SvidTtl }),
    ...(has('jwtSvidTtl') && { jwtSvidTtl: entry.jwtSvidTtl }),
    ...(has('federatesWith') && { federatesWith: [...entry.federatesWith] }),
    ...(has('admin') && { admin: entry.admin }),
    ...(has('downstream') && { downstream: entry.downstream }),
    ...(has('expiresAt') && { expiresAt: wireTime(entry.expiresAt) }),
    ...(has('dnsNames') && { dnsNames: [...entry.dnsNames] }),
    ...(has('revisionNumber') && { revisionNumber: BigInt(entry.revision) }),
    ...(has('storeSvid') && { storeSvid: entry.storeSvid }),
    ...(has('hint') && { hint: entry.hint }),
    ...(has('createdAt') && { createdAt: wireTime(entry.createdAt) }),
    ...(has('additionalAttributes') && wireAttributes(entry)),
  };
};

/** What creating and updating answer: as {@link wireEntry}, with the DNS names sorted. */
export const wireStoredEntry = (entry: RegistrationEntry, mask?: Mask): WireEntry =>
  wireEntry({ ...entry, dnsNames: [...entry.dnsNames].sort() }, mask);

/** Reads and checks an entry to be created. @throws {IssuerError} `invalid-argument` with SPIRE's texts */
export const readEntry = (wire: types.Entry | undefined, trustDomain: TrustDomain): EntryDraft =>
  told('failed to create entry', () => {
    if (!wire) throw new IssuerError('invalid-argument', 'missing entry');
    const draft = readFields(wire);
    checkEntry(draft, trustDomain);
    return draft;
  });

/** What SPIRE's storage finds only when it is about to write is told as a failure of the writing. */
const told = <T>(writing: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    const byStorage = error instanceof IssuerError && error.message.startsWith('datastore-validation:');
    return prefixed(byStorage ? writing : 'failed to convert entry', () => {
      throw error;
    });
  }
};

/**
 * The stored entry with the masked fields of the wire one; without a mask all of them, and attributes that are not
 * given are cleared. @throws {IssuerError} `invalid-argument`
 */
export const mergeEntry = (
  old: RegistrationEntry,
  wire: types.Entry,
  mask: Mask | undefined,
  trustDomain: TrustDomain,
): RegistrationEntry =>
  told('failed to update entry', () => {
    const merged = { ...old, ...readFields(wire, mask), id: old.id };
    checkEntry(merged, trustDomain);
    return merged;
  });

/** Reads the filter of a list or count. @throws {IssuerError} `invalid-argument` */
export const readEntryFilter = (wire: Filter | undefined, trustDomain: TrustDomain): EntryFilter => ({
  ...(wire?.bySpiffeId && { spiffeId: readMember(wire.bySpiffeId, trustDomain, 'malformed SPIFFE ID filter') }),
  ...(wire?.byParentId && { parentId: readMember(wire.byParentId, trustDomain, 'malformed parent ID filter') }),
  ...(wire?.bySelectors && {
    selectors: prefixed('malformed selectors filter', () => readSelectorFilter(wire.bySelectors)),
  }),
  ...(wire?.byFederatesWith && {
    federatesWith: prefixed('malformed federates with filter', () => readFederatesWithFilter(wire.byFederatesWith)),
  }),
  // An empty hint filters nothing, as SPIRE has it.
  ...(wire?.byHint && { hint: wire.byHint }),
  // False filters nothing, as SPIRE has it: its command line always sends it.
  ...(wire?.byDownstream === true && { downstream: true }),
});

const readMember = (wire: WireId, trustDomain: TrustDomain, prefix: string): SpiffeId =>
  prefixed(prefix, () => {
    const id = readId(wire);
    requireMember(id, trustDomain);
    return id;
  });

interface Filter {
  bySpiffeId?: WireId | undefined;
  byParentId?: WireId | undefined;
  bySelectors?: types.SelectorMatch | undefined;
  byFederatesWith?: types.FederatesWithMatch | undefined;
  byHint?: string | undefined;
  byDownstream?: boolean | undefined;
}

/** The fields of the wire entry, all of them or the masked ones. */
function readFields(wire: types.Entry): EntryDraft;
function readFields(wire: types.Entry, mask: Mask | undefined): Partial<EntryDraft>;
function readFields(wire: types.Entry, mask?: Mask): Partial<EntryDraft> {
  const has = (field: keyof Mask): boolean => !mask || mask[field];
  return {
    ...(wire.id !== '' && { id: wire.id }),
    ...(has('parentId') && { parentId: prefixed('invalid parent ID', () => readId(wire.parentId)) }),
    ...(has('spiffeId') && { spiffeId: prefixed('invalid spiffe ID', () => readId(wire.spiffeId)) }),
    ...(has('selectors') && { selectors: readSelectors(wire.selectors) }),
    ...(has('x509SvidTtl') && { x509SvidTtl: wire.x509SvidTtl }),
    ...(has('jwtSvidTtl') && { jwtSvidTtl: wire.jwtSvidTtl }),
    ...(has('federatesWith') && { federatesWith: readFederatesWith(wire.federatesWith) }),
    ...(has('admin') && { admin: wire.admin }),
    ...(has('downstream') && { downstream: wire.downstream }),
    ...(has('expiresAt') && { expiresAt: readInt(wire.expiresAt, 'expires_at') }),
    ...(has('dnsNames') && { dnsNames: wire.dnsNames }),
    ...(has('storeSvid') && { storeSvid: wire.storeSvid }),
    ...(has('hint') && { hint: wire.hint }),
    ...(has('additionalAttributes') && {
      disableX509SvidPrefetch: wire.additionalAttributes?.disableX509SvidPrefetch ?? false,
      jwtSvidIncludeJti: wire.additionalAttributes?.jwtSvidIncludeJti ?? false,
    }),
  };
}

const readFederatesWith = (names: readonly string[]): string[] =>
  prefixed('invalid federated trust domain', () => names.map((name) => readTrustDomain(name).name));

const readFederatesWithFilter = (wire: types.FederatesWithMatch | undefined): EntryFilter['federatesWith'] => {
  if (!wire || wire.trustDomains.length === 0) throw new IssuerError('invalid-argument', 'empty trust domain set');
  return { trustDomains: wire.trustDomains.map((td) => readTrustDomain(td).name), match: readMatch(wire.match) };
};

// Unset unless one of them says something, so that an old entry reads back as it was written.
const wireAttributes = ({
  disableX509SvidPrefetch,
  jwtSvidIncludeJti,
}: RegistrationEntry): { additionalAttributes?: { disableX509SvidPrefetch: boolean; jwtSvidIncludeJti: boolean } } =>
  disableX509SvidPrefetch || jwtSvidIncludeJti
    ? { additionalAttributes: { disableX509SvidPrefetch, jwtSvidIncludeJti } }
    : {};
