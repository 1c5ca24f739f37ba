import { type AuthoritySlots, authorityState, withSlot } from './authority.ts';
import type { AuthorityContext } from './authority-changes.ts';
import { IssuerError } from './errors.ts';

/**
 * Marks the old X.509 authority because the upstream authority that signed it is compromised.
 *
 * @throws {IssuerError} `failed-precondition` without an upstream, `invalid-argument` for another subject key id
 */
export function taintUpstreamAuthority(
  slots: AuthoritySlots,
  subjectKeyId: string,
  context: AuthorityContext,
): AuthoritySlots {
  const old = requireOldUpstream(slots, subjectKeyId, context);
  return withSlot(slots, 'x509', { ...old, tainted: true });
}

/** Requires that an upstream authority may be taken out of the bundle now. Throws as {@link taintUpstreamAuthority}. */
export function requireUpstreamRevocable(slots: AuthoritySlots, subjectKeyId: string, context: AuthorityContext): void {
  const old = requireOldUpstream(slots, subjectKeyId, context);
  if (!old.tainted) refuse('upstream authority must be tainted before it is revoked');
}

function requireOldUpstream(slots: AuthoritySlots, subjectKeyId: string, context: AuthorityContext) {
  if (!context.hasUpstream) throw new IssuerError('failed-precondition', 'upstream authority is not configured');
  if (subjectKeyId === '') refuse('no subject key ID provided');
  const { active, old } = authorityState(slots, 'x509');
  if (active?.upstreamAuthorityId === subjectKeyId) refuse('it signed the active local authority');
  if (old?.upstreamAuthorityId !== subjectKeyId) refuse('it did not sign the old local authority');
  return old;
}

function refuse(reason: string): never {
  throw new IssuerError('invalid-argument', `provided subject key id is not valid: ${reason}`);
}
