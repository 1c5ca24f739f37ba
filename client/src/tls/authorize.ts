import { type Certificate, type IdMatcher, type SpiffeId, type TrustDomain } from '@steeple/spiffe';
import { ClientError } from '../errors.ts';

/**
 * Decides whether an authenticated peer may talk to us; throws to refuse. Called only after the peer's chain was
 * verified against the bundle of its own trust domain. `chain` runs from the leaf to the trusted root.
 */
export type Authorizer = (id: SpiffeId, chain: readonly Certificate[]) => void;

/** Accepts every authenticated peer of every trust domain we hold a bundle for, federated ones included. */
export function authorizeAny(): Authorizer {
  return () => {};
}

/** Accepts exactly this SPIFFE ID. */
export function authorizeId(expected: SpiffeId): Authorizer {
  return authorizeMatching((id) => id.equals(expected), expected.toString());
}

/** Accepts any of these SPIFFE IDs; an empty list accepts nobody. */
export function authorizeOneOf(expected: readonly SpiffeId[]): Authorizer {
  const text = expected.length === 0 ? 'nobody' : `one of ${expected.join(', ')}`;
  return authorizeMatching((id) => expected.some((one) => one.equals(id)), text);
}

/** Accepts every workload of one trust domain. */
export function authorizeMemberOf(trustDomain: TrustDomain): Authorizer {
  return authorizeMatching((id) => id.memberOf(trustDomain), `a member of ${trustDomain.id}`);
}

/** Accepts what `matches` accepts; `expected` completes the sentence "expected …" in the refusal. */
export function authorizeMatching(matches: IdMatcher, expected: string): Authorizer {
  return (id) => {
    // Only `true` admits: a matcher that forgets to answer must not open the door.
    if (matches(id) !== true) throw unauthorized(id, expected);
  };
}

function unauthorized(presented: SpiffeId, expected: string): ClientError {
  return new ClientError('unauthorized-peer', `peer presented ${presented.toString()}, expected ${expected}`);
}
