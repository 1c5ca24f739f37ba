import { type AuthoritySlot, type AuthoritySlots, authorityState, withSlot } from './authority.ts';
import type { AuthorityContext } from './authority-changes.ts';
import { IssuerError } from './errors.ts';

/**
 * Requires that an upstream authority may be marked as compromised, or taken out of the bundle: it must have signed the
 * old X.509 authority and not the one that signs now. Whether it is in the bundle is the bundle's business.
 *
 * @param prefix what the refusal begins with
 * @throws {IssuerError} `failed-precondition` without an upstream, `invalid-argument` for another subject key id
 */
export function requireOldUpstream(
  slots: AuthoritySlots,
  subjectKeyId: string,
  context: AuthorityContext,
  prefix: string,
): void {
  if (!context.hasUpstream) throw new IssuerError('failed-precondition', 'upstream authority is not configured');
  const problem = problemOf(slots, subjectKeyId);
  if (problem !== undefined) throw new IssuerError('invalid-argument', `${prefix}: ${problem}`);
}

/** The slots with everything marked that an upstream authority signed and that signs no more. */
export function taintUnderUpstream(slots: AuthoritySlots, isUnder: (slot: AuthoritySlot) => boolean): AuthoritySlots {
  return slots.x509
    .filter((slot) => slot.status === 'old' && !slot.tainted && isUnder(slot))
    .reduce((changed, slot) => withSlot(changed, 'x509', { ...slot, tainted: true }), slots);
}

// The words, a misspelt one among them, are SPIRE's: scripts compare them.
function problemOf(slots: AuthoritySlots, subjectKeyId: string): string | undefined {
  if (subjectKeyId === '') return 'no subject key ID provided';
  const { active, prepared, old } = authorityState(slots, 'x509');
  if (active?.upstreamAuthorityId === subjectKeyId) return 'unable to use upstream authority singing current authority';
  const other = prepared ?? old;
  if (other?.upstreamAuthorityId !== subjectKeyId) return "upstream authority didn't sign the old local authority";
  if (other.status === 'prepared') return 'only upstream authorities signing an old authority can be used';
  return undefined;
}
