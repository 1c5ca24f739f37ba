import type { BundleSource, RevocationList, TrustBundle, TrustDomain, X509Svid, X509SvidSource } from '@steeple/spiffe';
import type { VerifiedPeer } from './verify-peer.ts';

/** What a connection was made with; while all of it holds, a new connection would come out the same. */
export interface Circumstances {
  readonly svid: X509Svid | undefined;
  readonly trustDomain: TrustDomain;
  readonly bundle: TrustBundle | undefined;
  readonly revocationLists: readonly RevocationList[];
}

/** Where an endpoint gets its SVID and its trust from. */
export interface Sources {
  readonly bundles: BundleSource;
  readonly svid?: X509SvidSource | undefined;
}

/** Who was met, and the SVID that was presented. */
export interface Meeting {
  readonly peer: VerifiedPeer;
  readonly svid: X509Svid | undefined;
}

export function circumstancesOf({ peer, svid }: Meeting, { bundles }: Sources): Circumstances {
  const { trustDomain } = peer.id;
  const revocationLists = bundles.revocationLists?.() ?? [];
  return { svid, trustDomain, bundle: bundles.bundleFor(trustDomain), revocationLists };
}

/** Whether the sources still give what the connection was made with. */
export function hold(made: Circumstances, sources: Sources): boolean {
  return trustHolds(made, sources) && svidHolds(made, sources);
}

/** Whether the peer would be judged as it was, but for the passing of time. */
export function trustHolds(made: Circumstances, { bundles }: Sources): boolean {
  const bundle = bundles.bundleFor(made.trustDomain);
  if (made.bundle === undefined || bundle?.trustsSameAs(made.bundle) !== true) return false;
  const lists = bundles.revocationLists?.() ?? [];
  return (
    lists.length === made.revocationLists.length && lists.every((list, at) => made.revocationLists[at]?.equals(list))
  );
}

function svidHolds(made: Circumstances, { svid }: Sources): boolean {
  try {
    return sameSvid(svid?.x509Svid(), made.svid);
  } catch {
    return false;
  }
}

// Each message of the Workload API is read into new objects, also when it changes something else.
function sameSvid(a: X509Svid | undefined, b: X509Svid | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return a.chain.length === b.chain.length && a.chain.every((certificate, at) => b.chain[at]?.equals(certificate));
}
