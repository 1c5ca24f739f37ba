import type { FederationRelationship } from '@steeple/core';
import { parseBundleDocument, type TrustBundle } from '@steeple/spiffe';
import { endpointAddress } from './bundle-endpoint-address.ts';
import { connectEndpoint, type EndpointTrust } from './connect-endpoint.ts';
import { getDocument } from './get-document.ts';

/** Seconds that a whole fetch may take, and the redirects it may follow. */
const TIMEOUT = 30;
const MAX_REDIRECTS = 3;

/** A bundle with what the log shall say of where it came from. */
export interface FetchedBundle {
  readonly bundle: TrustBundle;
  readonly peer: string;
  readonly url: string;
  /** Keys of the document that were left out, and why. */
  readonly ignored: readonly string[];
}

/**
 * Fetches what another trust domain publishes (SPIFFE Federation 5.2). A redirect is followed when its target is itself
 * a good endpoint URL and the server there passes the very same checks; it is followed anew each time.
 */
export const fetchBundle = async (
  { trustDomain, bundleEndpointUrl, profile }: FederationRelationship,
  trust: EndpointTrust,
  signal: AbortSignal,
): Promise<FetchedBundle> => {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT * 1000)]);
  let url = bundleEndpointUrl;
  for (let hops = 0; ; hops += 1) {
    const address = endpointAddress(url);
    const connection = await connectEndpoint(address, profile, trust, bounded);
    const answer = await getDocument(connection, address, bounded);
    if (answer.kind === 'document') {
      const ignored: string[] = [];
      const bundle = parseBundleDocument(trustDomain, answer.body, {
        onIgnored: ({ index, reason }) => ignored.push(`key ${index}: ${reason}`),
      });
      return { bundle, peer: connection.peer, url, ignored };
    }
    if (hops === MAX_REDIRECTS) throw new Error(`the endpoint redirects more than ${MAX_REDIRECTS} times`);
    url = answer.location;
  }
};
