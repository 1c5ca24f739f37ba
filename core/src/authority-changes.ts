import {
  type AuthorityKind,
  type AuthoritySlot,
  type AuthoritySlots,
  activeAuthority,
  freeSlot,
  type NewAuthority,
  otherAuthority,
  withSlot,
} from './authority.ts';
import { IssuerError } from './errors.ts';

/** Puts a new authority beside the active one. A prepared or old one there loses its place, not its trust. */
export function prepareAuthority(slots: AuthoritySlots, kind: AuthorityKind, authority: NewAuthority): AuthoritySlots {
  const taken = slots[kind].some((slot) => slot.authorityId === authority.authorityId);
  if (taken) throw new IssuerError('internal', 'an authority with this ID is already in place');
  return withSlot(slots, kind, { ...authority, slot: freeSlot(slots, kind), status: 'prepared', tainted: false });
}

/**
 * Makes the prepared authority sign from now on; the one that did becomes old.
 *
 * @throws {IssuerError} `invalid-argument` for an id that is not the other authority's, `internal` if that is not prepared
 */
export function activateAuthority(slots: AuthoritySlots, kind: AuthorityKind, authorityId: string): AuthoritySlots {
  if (authorityId === '') refuse('no authority ID provided');
  const next = otherAuthority(slots, kind);
  if (next?.authorityId !== authorityId) refuse('unexpected authority ID');
  if (next.status !== 'prepared') {
    throw new IssuerError('internal', `only Prepared authorities can be activated: ${statusText(next)}`);
  }
  const active = activeAuthority(slots, kind);
  const retired = active === undefined ? slots : withSlot(slots, kind, { ...active, status: 'old' });
  return withSlot(retired, kind, { ...next, status: 'active' });
}

/** What a taint or a revocation depends on beside the slots. */
export interface AuthorityContext {
  /** The X.509 authorities are signed by an upstream authority. */
  readonly hasUpstream: boolean;
}

/**
 * Marks the old authority as compromised, so that everything under it is replaced.
 *
 * @throws {IssuerError} with SPIRE's codes and texts
 */
export function taintAuthority(
  slots: AuthoritySlots,
  kind: AuthorityKind,
  authorityId: string,
  context: AuthorityContext,
): AuthoritySlots {
  refuseUpstream(kind, context, 'tainted');
  if (authorityId === '') refuse('no authority ID provided');
  if (activeAuthority(slots, kind)?.authorityId === authorityId) refuse('unable to taint current local authority');
  const old = otherAuthority(slots, kind);
  if (old?.authorityId !== authorityId) refuse('unexpected authority ID');
  if (old.status !== 'old') refuse(`only Old local authorities can be tainted: ${statusText(old)}`);
  if (old.tainted)
    throw new IssuerError('internal', `failed to taint ${KIND_TEXTS[kind].name}: ${alreadyTainted(kind)}`);
  return withSlot(slots, kind, { ...old, tainted: true });
}

/**
 * Requires that an authority may be taken out of the bundle now, and returns its slot, which stays listed as old.
 *
 * @throws {IssuerError} with SPIRE's codes and texts
 */
export function requireRevocable(
  slots: AuthoritySlots,
  kind: AuthorityKind,
  authorityId: string,
  context: AuthorityContext,
): AuthoritySlot {
  refuseUpstream(kind, context, 'revoked');
  if (authorityId === '') refuse('invalid authority ID: no authority ID provided');
  if (activeAuthority(slots, kind)?.authorityId === authorityId) {
    refuse('invalid authority ID: unable to use current authority');
  }
  const old = otherAuthority(slots, kind);
  if (old?.authorityId !== authorityId) refuse(`invalid authority ID: ${KIND_TEXTS[kind].unknown}`);
  if (old.status !== 'old') refuse('invalid authority ID: only Old local authority can be revoked');
  if (old.tainted) return old;
  const { name, key } = KIND_TEXTS[kind];
  throw new IssuerError('internal', `failed to revoke ${name}: it is not possible to revoke an untainted ${key}`);
}

/** Forgets what has expired, except the active authority: something must be there to be replaced. */
export function pruneAuthorities(slots: AuthoritySlots, now: number): AuthoritySlots {
  const stays = (slot: AuthoritySlot) => slot.status === 'active' || slot.notAfter > now;
  if (Object.values(slots).every((kind) => kind.every(stays))) return slots;
  return { x509: slots.x509.filter(stays), jwt: slots.jwt.filter(stays), wit: slots.wit.filter(stays) };
}

const KIND_TEXTS: Readonly<Record<AuthorityKind, { name: string; key: string; unknown: string }>> = {
  x509: {
    name: 'X.509 authority',
    key: 'root CA',
    unknown: 'only Old local authority can be revoked',
  },
  jwt: {
    name: 'JWT authority',
    key: 'key',
    unknown: 'no JWT authority found with provided authority ID',
  },
  wit: {
    name: 'WIT authority',
    key: 'key',
    unknown: 'no WIT authority found with provided authority ID',
  },
};

function alreadyTainted(kind: AuthorityKind): string {
  return kind === 'x509' ? 'root CA is already tainted' : 'key is already tainted';
}

function refuseUpstream(kind: AuthorityKind, context: AuthorityContext, verb: string): void {
  if (kind !== 'x509' || !context.hasUpstream) return;
  throw new IssuerError('failed-precondition', `local authority can't be ${verb} if there is an upstream authority`);
}

function statusText(slot: AuthoritySlot): string {
  return `unsupported local authority status: ${slot.status.toUpperCase()}`;
}

function refuse(message: string): never {
  throw new IssuerError('invalid-argument', message);
}
