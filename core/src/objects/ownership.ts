import { SpiffeId, type TrustDomain } from '@steeple/spiffe';
import { draftEntry, type EntryDraft } from '../entry.ts';
import { LIMITS } from '../limits.ts';

const SELECTOR_TYPE = 'steeple';
const RELATIONSHIP = 'relationship:';

/** How many relationships one owner can have. */
export const MOST_OWNED = LIMITS.selectorsPerEntry;

/** Whether an entry was made under a prefix: no other owner's prefix can begin with it, because the rest has no point. */
export const isOwnEntryId = (prefix: string, id: string): boolean =>
  id.startsWith(`${prefix}.`) && !id.slice(prefix.length + 1).includes('.');

/** The ID of the entry that {@link ownershipRecord} makes; it is not among those of {@link isOwnEntryId}. */
export const ownershipRecordId = (prefix: string): string => `${prefix}.owns.relationships`;

/**
 * An entry that records which relationships were made under a prefix: relationships themselves have no place for it.
 * Its parent is nobody, so no agent ever gets it.
 */
export const ownershipRecord = (
  trustDomain: TrustDomain,
  prefix: string,
  relationships: Iterable<string>,
): EntryDraft & { readonly id: string } => ({
  ...draftEntry({
    spiffeId: SpiffeId.of(trustDomain, `/steeple/owner/${prefix}`),
    parentId: SpiffeId.of(trustDomain, '/steeple/nobody'),
    selectors: [...relationships].toSorted().map((name) => ({ type: SELECTOR_TYPE, value: `${RELATIONSHIP}${name}` })),
    hint: 'which federation relationships were made by this owner; for no workload',
  }),
  id: ownershipRecordId(prefix),
});

/** The trust domains that a record names. */
export const ownedRelationships = (record: Pick<EntryDraft, 'selectors'> | undefined): ReadonlySet<string> =>
  new Set(
    (record?.selectors ?? []).flatMap(({ type, value }) =>
      type === SELECTOR_TYPE && value.startsWith(RELATIONSHIP) ? [value.slice(RELATIONSHIP.length)] : [],
    ),
  );
