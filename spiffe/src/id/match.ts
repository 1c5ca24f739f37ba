import type { SpiffeId } from './spiffe-id.ts';
import type { TrustDomain } from './trust-domain.ts';

/** Decides whether an ID is one the caller wants to talk to. */
export type IdMatcher = (id: SpiffeId) => boolean;

/** Only this ID; never a prefix of it. */
export function matchExactly(wanted: SpiffeId): IdMatcher {
  return (id) => id.equals(wanted);
}

/** Any of these IDs; an empty list matches nothing. */
export function matchOneOf(wanted: readonly SpiffeId[]): IdMatcher {
  const texts = new Set(wanted.map(String));
  return (id) => texts.has(id.toString());
}

/** Every ID of the trust domain, its own included. */
export function matchMemberOf(trustDomain: TrustDomain): IdMatcher {
  return (id) => id.memberOf(trustDomain);
}

/** Every ID. Whoever uses it trusts each trust domain whose bundle is loaded. */
export function matchAny(): IdMatcher {
  return () => true;
}
