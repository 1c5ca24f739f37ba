import type { TrustBundle } from '@steeple/spiffe';
import { IssuerError } from './errors.ts';

/**
 * The bundle to keep after another trust domain published `fetched`: the stored one if nothing is new. An empty bundle is
 * news like any other: its publisher trusts nothing any more (SPIFFE Trust Domain and Bundle, 4.1.3).
 *
 * @throws {IssuerError} `failed-precondition` if the publisher went back to an earlier sequence number, as somebody who
 *   replays an old bundle would (SPIFFE Federation 4.2)
 */
export function takeFetchedBundle(stored: TrustBundle | undefined, fetched: TrustBundle): TrustBundle {
  if (stored === undefined) return fetched;
  if (fetched.equals(stored)) return stored;
  // Without a number the latest document counts.
  const isOlder = fetched.sequence > 0n && fetched.sequence < stored.sequence;
  if (!isOlder) return fetched;
  throw new IssuerError(
    'failed-precondition',
    `the bundle of ${fetched.trustDomain.name} has sequence ${fetched.sequence}, older than the stored ${stored.sequence}; ` +
      'if its publisher started anew, set the bundle by hand',
  );
}
