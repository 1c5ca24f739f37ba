import type { ServiceClient } from '@steeple/proto/grpc';
import { bundleV1, entryV1, trustdomainV1, type types } from '@steeple/proto/server-api';
import { withClient } from '../connect.ts';
import { allEntries } from '../pages.ts';

/** What one server has that can be moved to another. */
export interface Side {
  readonly trustDomain: string;
  /** Its own authorities. */
  readonly own: types.Bundle;
  /** Of other trust domains, by name. */
  readonly bundles: ReadonlyMap<string, types.Bundle>;
  readonly relationships: ReadonlyMap<string, types.FederationRelationship>;
  readonly entries: readonly types.Entry[];
}

/** Seconds that a server may think about one page. */
const PATIENCE = 60;

/** Reads all of it over the administrative socket; nothing is changed. */
export async function readSide(socket: string, signal: AbortSignal): Promise<Side> {
  const use = { patience: PATIENCE, signal };
  const { own, bundles } = await withClient(bundleV1.Bundle, socket, readBundles, use);
  const relationships = await withClient(trustdomainV1.TrustDomain, socket, readRelationships, use);
  const entries = await withClient(entryV1.Entry, socket, (client) => allEntries(client, {}), use);
  return {
    trustDomain: own.trustDomain,
    own,
    bundles: new Map(bundles.map((bundle) => [bundle.trustDomain, bundle])),
    relationships: new Map(relationships.map((one) => [one.trustDomain, one])),
    entries,
  };
}

const readBundles = async (
  client: ServiceClient<typeof bundleV1.Bundle>,
): Promise<{ own: types.Bundle; bundles: types.Bundle[] }> => {
  const own = await client.getBundle({});
  const bundles: types.Bundle[] = [];
  for (let pageToken = ''; ; ) {
    const page = await client.listFederatedBundles({ pageSize: 100, pageToken });
    bundles.push(...page.bundles);
    pageToken = page.nextPageToken;
    if (pageToken === '') return { own, bundles };
  }
};

const readRelationships = async (
  client: ServiceClient<typeof trustdomainV1.TrustDomain>,
): Promise<types.FederationRelationship[]> => {
  const found: types.FederationRelationship[] = [];
  for (let pageToken = ''; ; ) {
    // The bundles are read on their own.
    const outputMask = { bundleEndpointUrl: true, bundleEndpointProfile: true };
    const page = await client.listFederationRelationships({ pageSize: 100, pageToken, outputMask });
    found.push(...page.federationRelationships);
    pageToken = page.nextPageToken;
    if (pageToken === '') return found;
  }
};
