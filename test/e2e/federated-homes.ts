// Homes that publish their bundles, follow one another's, and whose workloads meet over mutual TLS.
import type { AddressInfo } from 'node:net';
import { authorizeId, connectTls, createTlsServer, SpiffeId, type X509Source } from '@steeple/client';
import type { types } from '@steeple/proto/server-api';
import type { Home } from './home.ts';

export const SPIFFE_ENDPOINT = { address: '127.0.0.1', port: 0, profile: { https_spiffe: {} } };

export const endpointUrl = (home: Home): string => `https://127.0.0.1:${home.server.addresses.bundleEndpoint?.port}/`;

/** `home` follows `other` by https_spiffe from now on. */
export async function follow(home: Home, other: Home, more: object = {}): Promise<void> {
  const { results } = await home.admin.federation.batchCreateFederationRelationship({
    federationRelationships: [
      {
        trustDomain: other.trustDomain.name,
        bundleEndpointUrl: endpointUrl(other),
        bundleEndpointProfile: { case: 'httpsSpiffe', value: { endpointSpiffeId: other.id('/spire/server') } },
        trustDomainBundle: await other.admin.bundle.getBundle({}),
        ...more,
      },
    ],
  });
  if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
}

/** The bundle of `other` as `home` knows it. */
export const known = (home: Home, other: Home): Promise<types.Bundle> =>
  home.admin.bundle.getFederatedBundle({ trustDomain: other.trustDomain.name });

export const refresh = (home: Home, other: Home): Promise<unknown> =>
  home.admin.federation.refreshBundle({ trustDomain: other.trustDomain.name });

/** Two workloads meet; each must show exactly that identity to the other. Resolves when both have heard a byte. */
export async function meet(client: X509Source, server: X509Source, ids: readonly [string, string]): Promise<void> {
  const [clientId, serverId] = ids.map((id) => SpiffeId.parse(id)) as [SpiffeId, SpiffeId];
  const policy = { svid: server, bundles: server, authorize: authorizeId(clientId) };
  const refused = Promise.withResolvers<never>();
  const listener = createTlsServer({ ...policy, onRefused: refused.reject }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end('!'));
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  const { port } = listener.address() as AddressInfo;
  try {
    const options = { svid: client, bundles: client, authorize: authorizeId(serverId) };
    const { socket } = await connectTls({ host: '127.0.0.1', port }, options);
    const answered = new Promise((resolve, reject) => {
      socket.once('data', resolve).once('error', reject);
    });
    socket.write('?');
    await Promise.race([answered, refused.promise]);
    socket.destroy();
  } finally {
    refused.promise.catch(() => {});
    listener.close();
  }
}
