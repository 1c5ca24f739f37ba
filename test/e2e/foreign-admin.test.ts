import { authorizeId, BundleSet, SpiffeId, X509Source, type X509Svid } from '@steeple/client';
import { spiffeChannelCredentials } from '@steeple/client/tls';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { expect, it } from 'vitest';
import { follow, SPIFFE_ENDPOINT } from './federated-homes.ts';
import { Home, until } from './home.ts';

const publishing = { federation: { bundle_endpoint: SPIFFE_ENDPOINT } };

/** What a workload once got from its agent. */
interface Held {
  readonly svid: X509Svid;
  readonly bundles: BundleSet;
}

/** What a workload gets that asks another trust domain's server for its entries, over a connection of its own. */
async function askEntries(server: Home, { svid, bundles }: Held): Promise<number> {
  const { host, port } = server.server.addresses;
  const authorize = authorizeId(SpiffeId.parse(server.id('/spire/server')));
  const client = createClient(entryV1.Entry, {
    address: `${host}:${port}`,
    credentials: spiffeChannelCredentials({ svid: { x509Svid: () => svid }, bundles, authorize }),
    options: { 'grpc.use_local_subchannel_pool': 1 },
  });
  try {
    await client.listEntries({}, { deadline: 5 });
    return Code.OK;
  } catch (error) {
    if (error instanceof GrpcError) return error.code;
    throw error;
  } finally {
    client.close();
  }
}

it('an administrator of another trust domain is one exactly while that trust domain is federated', async () => {
  await using a = await Home.open({
    trustDomain: 'a.test',
    server: { ...publishing, admin_ids: ['spiffe://b.test/admin'] },
  });
  await using b = await Home.open({ trustDomain: 'b.test', server: publishing });
  await follow(b, a);
  await b.ready();
  const hold = async (path: string): Promise<Held> => {
    const id = await b.addEntry({ path, more: { federatesWith: ['a.test'] } });
    await using source = await X509Source.open({ address: `unix://${b.socket}` });
    await until(() => source.bundleFor(a.trustDomain) !== undefined);
    const bundle = source.bundleFor(a.trustDomain);
    const held = { svid: source.x509Svid(), bundles: BundleSet.of(...(bundle ? [bundle] : [])) };
    await b.removeEntry(id);
    return held;
  };
  const admin = await hold('/admin');
  const other = await hold('/other');

  expect(await askEntries(a, admin)).toBe(Code.UNAVAILABLE);
  await follow(a, b);
  expect(await askEntries(a, admin)).toBe(Code.OK);
  // Its connection already is refused, as SPIRE does.
  expect(await askEntries(a, other)).toBe(Code.UNAVAILABLE);
  await a.admin.federation.batchDeleteFederationRelationship({ trustDomains: ['b.test'] });
  await a.admin.bundle.batchDeleteFederatedBundle({ trustDomains: ['b.test'], mode: 0 });
  expect(await askEntries(a, admin)).toBe(Code.UNAVAILABLE);
});
