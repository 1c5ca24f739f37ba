/** The three kinds of signing authority a trust domain has. */
export type AuthorityKind = 'x509' | 'jwt' | 'wit';

/** `old`: was active before; its documents may still be in use. */
export type AuthorityStatus = 'prepared' | 'active' | 'old';

/** One signing authority in its place. Times are Unix seconds. */
export interface AuthoritySlot {
  readonly slot: 'A' | 'B';
  readonly status: AuthorityStatus;
  /** Lower-case hex of the subject key id (x509) or the `kid` (jwt, wit). */
  readonly authorityId: string;
  readonly issuedAt: number;
  readonly notAfter: number;
  /** The key's id in the key manager. */
  readonly keyId: string;
  readonly publicKeySpki: Uint8Array;
  readonly certificateDer?: Uint8Array;
  readonly upstreamChainDer?: Uint8Array;
  readonly upstreamAuthorityId?: string;
  readonly tainted: boolean;
}

/** All authorities of this server; per kind at most one slot A and one slot B, at most one of them active. */
export type AuthoritySlots = Readonly<Record<AuthorityKind, readonly AuthoritySlot[]>>;

/** Before the first authority exists. */
export const NO_AUTHORITIES: AuthoritySlots = Object.freeze({ x509: [], jwt: [], wit: [] });

/** What is known of a new authority before it has a place. */
export type NewAuthority = Omit<AuthoritySlot, 'slot' | 'status' | 'tainted'>;

/** The authorities of one kind by their role. */
export interface AuthorityState {
  readonly active?: AuthoritySlot;
  readonly prepared?: AuthoritySlot;
  readonly old?: AuthoritySlot;
}

/** Who is active, prepared and old; each role is held by at most one slot. */
export function authorityState(slots: AuthoritySlots, kind: AuthorityKind): AuthorityState {
  return Object.fromEntries(slots[kind].map((slot) => [slot.status, slot]));
}

/** The authority that signs now, if there is one. */
export function activeAuthority(slots: AuthoritySlots, kind: AuthorityKind): AuthoritySlot | undefined {
  return authorityState(slots, kind).active;
}

/** The place a new authority will take: beside the active one, whatever stands there. */
export function freeSlot(slots: AuthoritySlots, kind: AuthorityKind): 'A' | 'B' {
  return activeAuthority(slots, kind)?.slot === 'A' ? 'B' : 'A';
}

/** The place beside the active authority: prepared, old, or empty. */
export function otherAuthority(slots: AuthoritySlots, kind: AuthorityKind): AuthoritySlot | undefined {
  const { prepared, old } = authorityState(slots, kind);
  return prepared ?? old;
}

/** The same slots with one put in its place, and others of its kind left as they are. */
export function withSlot(slots: AuthoritySlots, kind: AuthorityKind, slot: AuthoritySlot): AuthoritySlots {
  const others = slots[kind].filter((other) => other.slot !== slot.slot);
  return { ...slots, [kind]: [...others, slot].sort((a, b) => (a.slot < b.slot ? -1 : 1)) };
}
