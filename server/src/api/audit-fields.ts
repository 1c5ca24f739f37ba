// What audit lines say of a request, under the names that SPIRE's lines have. Whatever a caller sent is told as it came.
import { createHash } from 'node:crypto';
import { types } from '@steeple/proto/server-api';

type Fields = Record<string, unknown>;

/** A signing request can be found again by its hash, and is not told itself. */
export const requestField = (csr: Uint8Array): Fields => ({ csr: createHash('sha256').update(csr).digest('hex') });

interface WireSelector {
  readonly type: string;
  readonly value: string;
}

type WireId = { readonly trustDomain: string; readonly path: string } | undefined;

const idFields = (name: string, id: WireId): Fields => (id ? { [name]: `spiffe://${id.trustDomain}${id.path}` } : {});

const listFields = (name: string, values: readonly string[]): Fields =>
  values.length > 0 ? { [name]: values.join(',') } : {};

const selectorTexts = (selectors: readonly WireSelector[]): string[] =>
  selectors.map(({ type, value }) => `${type}:${value}`);

type Entry = Omit<types.Entry, '$typeName' | '$unknown'>;
type Mask = Readonly<Partial<Record<keyof Omit<types.EntryMask, '$typeName' | '$unknown'>, boolean>>>;

const PLAIN = [
  ['admin', 'admin'],
  ['downstream', 'downstream'],
  ['storeSvid', 'store_svid'],
  ['x509SvidTtl', 'x509_svid_ttl'],
  ['jwtSvidTtl', 'jwt_svid_ttl'],
  ['hint', 'hint'],
] as const;

const COUNTERS = [
  ['expiresAt', 'expires_at'],
  ['revisionNumber', 'revision_number'],
  ['createdAt', 'created_at'],
] as const;

/** An entry that is to be created or updated: the fields that the mask names, without one all of them. */
export const entryFields = (entry: Entry | undefined, mask?: Mask): Fields => {
  if (!entry) return {};
  const has = (field: keyof Mask): boolean => mask?.[field] ?? mask === undefined;
  return {
    ...(entry.id !== '' && { entry_id: entry.id }),
    ...(has('spiffeId') && idFields('spiffe_id', entry.spiffeId)),
    ...(has('parentId') && idFields('parent_id', entry.parentId)),
    ...(has('selectors') && listFields('selectors', selectorTexts(entry.selectors))),
    ...(has('federatesWith') && listFields('federates_with', entry.federatesWith)),
    ...(has('dnsNames') && listFields('dns_name', entry.dnsNames)),
    ...Object.fromEntries(PLAIN.flatMap(([field, name]) => (has(field) ? [[name, entry[field]]] : []))),
    ...Object.fromEntries(COUNTERS.flatMap(([field, name]) => (has(field) ? [[name, Number(entry[field])]] : []))),
  };
};

interface Matching {
  readonly match: number;
}

const behaviour = ({ match }: Matching): string => {
  const names = Object.entries(types.SelectorMatch_MatchBehavior);
  return names.find(([, value]) => value === match)?.[0] ?? String(match);
};

const selectorFilterFields = (
  filter: (Matching & { readonly selectors: readonly WireSelector[] }) | undefined,
): Fields =>
  filter ? { by_selector_match: behaviour(filter), by_selectors: selectorTexts(filter.selectors).join(',') } : {};

interface EntryFilter {
  readonly bySpiffeId?: WireId;
  readonly byParentId?: WireId;
  readonly bySelectors?: (Matching & { readonly selectors: readonly WireSelector[] }) | undefined;
  readonly byFederatesWith?: (Matching & { readonly trustDomains: readonly string[] }) | undefined;
  readonly byHint?: string | undefined;
  readonly byDownstream?: boolean | undefined;
}

/** What a list or a count of entries was about. */
export const entryFilterFields = (filter: EntryFilter | undefined): Fields => ({
  ...idFields('spiffe_id', filter?.bySpiffeId),
  ...idFields('parent_id', filter?.byParentId),
  ...selectorFilterFields(filter?.bySelectors),
  ...(filter?.byFederatesWith && {
    federates_with: filter.byFederatesWith.trustDomains.join(','),
    federates_with_match: behaviour(filter.byFederatesWith),
  }),
  ...(filter?.byHint && { hint: filter.byHint }),
  ...(filter?.byDownstream && { downstream: true }),
});

interface AgentFilter {
  readonly byAttestationType: string;
  readonly bySelectorMatch?: (Matching & { readonly selectors: readonly WireSelector[] }) | undefined;
  readonly byBanned?: boolean | undefined;
  readonly byCanReattest?: boolean | undefined;
}

/** What a list or a count of agents was about. */
export const agentFilterFields = (filter: AgentFilter | undefined): Fields => ({
  ...(filter?.byAttestationType && { node_attestor_type: filter.byAttestationType }),
  ...selectorFilterFields(filter?.bySelectorMatch),
  ...(filter?.byBanned !== undefined && { by_banned: filter.byBanned }),
  ...(filter?.byCanReattest !== undefined && { by_can_reattest: filter.byCanReattest }),
});
