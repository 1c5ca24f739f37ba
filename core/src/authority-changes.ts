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
  return withSlot(slots, kind, { ...old, tainted: true });
}

/**
 * Requires that an authority may be taken out of the bundle: it is old, or has left its slot and is still published.
 * Whether it was tainted before is the bundle's business, see `revokeInBundle`.
 *
 * @param isPublished whether the bundle has it; of X.509 authorities without a slot only tainted ones count
 * @throws {IssuerError} with SPIRE's codes and texts
 */
export function requireRevocable(
  slots: AuthoritySlots,
  kind: AuthorityKind,
  authorityId: string,
  context: AuthorityContext,
  isPublished: boolean,
): void {
  refuseUpstream(kind, context, 'revoked');
  if (authorityId === '') refuse('invalid authority ID: no authority ID provided');
  if (activeAuthority(slots, kind)?.authorityId === authorityId) {
    refuse('invalid authority ID: unable to use current authority');
  }
  const other = otherAuthority(slots, kind);
  if (other?.authorityId !== authorityId) {
    if (!isPublished) refuse(`invalid authority ID: ${UNKNOWN[kind]}`);
  } else if (other.status !== 'old') refuse(`invalid authority ID: ${PREPARED[kind]}`);
}

/** Forgets what has expired, except the active authority: something must be there to be replaced. */
export function pruneAuthorities(slots: AuthoritySlots, now: number): AuthoritySlots {
  const stays = (slot: AuthoritySlot) => slot.status === 'active' || slot.notAfter > now;
  if (Object.values(slots).every((kind) => kind.every(stays))) return slots;
  return { x509: slots.x509.filter(stays), jwt: slots.jwt.filter(stays), wit: slots.wit.filter(stays) };
}

const ONLY_OLD = 'only Old local authority can be revoked';
const UNKNOWN: Readonly<Record<AuthorityKind, string>> = {
  x509: ONLY_OLD,
  jwt: 'no JWT authority found with provided authority ID',
  wit: 'no WIT authority found with provided authority ID',
};
const PREPARED: Readonly<Record<AuthorityKind, string>> = {
  x509: ONLY_OLD,
  jwt: 'unable to use a prepared key',
  wit: 'unable to use a prepared key',
};

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
