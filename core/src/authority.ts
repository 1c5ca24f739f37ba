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
