import type { FederationRelationship } from '@steeple/core';
import { BundleSet, type TrustBundle } from '@steeple/spiffe';
import { systemWebRoots } from './app/federation/connect-endpoint.ts';
import { type FirstBundleSource, firstBundle } from './app/federation/first-bundle.ts';

/**
 * Gets the first bundle of another trust domain for somebody who will hand it to a server; the Web's authorities are those
 * that this machine trusts.
 *
 * @throws Error whose message says what is wrong
 */
export const fetchFirstBundle = (
  source: FirstBundleSource,
  relationship: FederationRelationship,
  signal: AbortSignal,
): Promise<TrustBundle> => {
  const trust = { bundles: new BundleSet(), webRoots: systemWebRoots, now: () => Date.now() / 1000 };
  return firstBundle(source, relationship, trust, signal);
};
