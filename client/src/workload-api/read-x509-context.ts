import type { X509SVID, X509SVIDResponse } from '@steeple/proto/workload';
import { BundleSet, SpiffeId, TrustBundle, X509Svid } from '@steeple/spiffe';
import { firstOfHint } from './first-of-hint.ts';
import { invalidResponse, mandatory, reading } from './invalid-response.ts';
import { readRevocationLists, readTrustDomainKey, readX509Authorities } from './read-bundles.ts';

/** Everything X.509 a workload holds at one moment. */
export interface X509Context {
  /** At least one; the first is the default identity (SPIFFE Workload API, section 8). */
  readonly svids: readonly X509Svid[];
  /** Of the own trust domains and the federated ones, with what their authorities have revoked. */
  readonly bundles: BundleSet;
}

/**
 * A full state, or nothing: one bad element invalidates the message (WAPI-16, WAPI-H1, WAPI-H4).
 *
 * @throws ClientError `invalid-response`
 */
export function readX509Context(message: X509SVIDResponse, now: number): X509Context {
  if (message.svids.length === 0) throw invalidResponse('no X509-SVIDs');
  const bundles = new BundleSet();
  for (const [key, der] of Object.entries(message.federatedBundles)) {
    const trustDomain = readTrustDomainKey(key);
    bundles.set(reading(`bundle of ${trustDomain.name}`, () => bundleOf(trustDomain, der)));
  }
  const own = new Set<string>();
  const svids = message.svids.map((element) => {
    const svid = readX509Svid(element, now);
    const { trustDomain } = svid.id;
    // The own bundle is stated with each SVID, and outranks a federated one of the same name.
    if (!own.has(trustDomain.name)) {
      bundles.set(reading(`bundle of ${trustDomain.name}`, () => bundleOf(trustDomain, element.bundle)));
      own.add(trustDomain.name);
    }
    return svid;
  });
  bundles.setRevocationLists(readRevocationLists(message.crl));
  return { svids: firstOfHint(svids), bundles };
}

function bundleOf(trustDomain: TrustBundle['trustDomain'], der: Uint8Array): TrustBundle {
  return TrustBundle.of(trustDomain, readX509Authorities(mandatory(der, 'bundle')));
}

function readX509Svid(element: X509SVID, now: number): X509Svid {
  mandatory(element.spiffeId, 'spiffe_id');
  mandatory(element.x509Svid, 'x509_svid');
  mandatory(element.x509SvidKey, 'x509_svid_key');
  mandatory(element.bundle, 'bundle');
  return reading('X509-SVID', () => {
    const id = SpiffeId.parse(element.spiffeId);
    const svid = X509Svid.parse(element.x509Svid, element.x509SvidKey, element.hint);
    if (!svid.id.equals(id))
      throw invalidResponse(`spiffe_id is ${id.toString()}, the certificate's is ${svid.id.toString()}`);
    if (svid.leaf.notAfter <= now) throw invalidResponse(`the X509-SVID of ${id.toString()} has expired`);
    return svid;
  });
}
