import type { SpiffeId } from '@steeple/spiffe';
import { dedupeSelectors, formatSelector, type Selector, sortSelectors } from './selector.ts';

/** A registration entry as an administrator asks for it. Times are Unix seconds, lifetimes seconds. */
export interface EntryDraft {
  /** Chosen by the caller, or left to the server. */
  readonly id?: string;
  readonly spiffeId: SpiffeId;
  /** Who may obtain it: an agent, a node alias, or another entry's id; `/spire/server` makes the entry an alias. */
  readonly parentId: SpiffeId;
  readonly selectors: readonly Selector[];
  /** 0 = the server's default. */
  readonly x509SvidTtl: number;
  /** 0 = the server's default. */
  readonly jwtSvidTtl: number;
  /** Names of trust domains whose bundles the workload receives. */
  readonly federatesWith: readonly string[];
  readonly admin: boolean;
  readonly downstream: boolean;
  /** 0 = never. */
  readonly expiresAt: number;
  /** In the order given: the first becomes the common name. */
  readonly dnsNames: readonly string[];
  readonly storeSvid: boolean;
  readonly hint: string;
  readonly disableX509SvidPrefetch: boolean;
  readonly jwtSvidIncludeJti: boolean;
}

/** A stored entry. */
export interface RegistrationEntry extends EntryDraft {
  readonly id: string;
  /** 0 when created, one more with each update. */
  readonly revision: number;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** A draft with SPIRE's defaults for everything but ids and selectors. */
export function draftEntry(
  parts: Pick<EntryDraft, 'spiffeId' | 'parentId' | 'selectors'> & Partial<EntryDraft>,
): EntryDraft {
  return {
    x509SvidTtl: 0,
    jwtSvidTtl: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAt: 0,
    dnsNames: [],
    storeSvid: false,
    hint: '',
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    ...parts,
  };
}

/** Two entries with the same key are "similar": same id, same parent, same set of selectors. */
export function similarityKey(draft: Pick<EntryDraft, 'spiffeId' | 'parentId' | 'selectors'>): string {
  const selectors = sortSelectors(dedupeSelectors(draft.selectors)).map(formatSelector);
  return JSON.stringify([draft.spiffeId.toString(), draft.parentId.toString(), ...selectors]);
}
