import { Client, connectivityState, Server } from '@grpc/grpc-js';
import { Code, createClient, serviceImplementation } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { BundleSet } from '@steeple/spiffe';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { X509Source } from '../sources/x509-source.ts';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { Topic } from '../testing/topic.ts';
import { anyone, SettableSvid, until } from './fixture.ts';
import { spiffeChannelCredentials } from './grpc-channel-credentials.ts';
import { serveGrpc } from './serve-grpc.ts';

// Any service does; this one is at hand. A stream carries what the test publishes; a call names the caller's certificate.
let a: TestTrustDomain;
let api: FakeWorkloadApi;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  a = await TestTrustDomain.create('a.test');
  api = await FakeWorkloadApi.start();
  cleanups.push(() => api.close());
  await issue();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function issue(): Promise<string> {
  const svid = await a.x509Svid('/client');
  api.issue({ svids: [svid], bundles: [a.bundle] });
  return svid.leaf.serialHex;
}

async function channel(following: 'client' | 'server' = 'client') {
  const source = await X509Source.open({ address: api.address });
  const live = { svid: source, bundles: source, ...anyone };
  const fixed = { svid: new SettableSvid(await a.x509Svid('/server')), bundles: BundleSet.of(a.bundle), ...anyone };
  const topic = new Topic<{ bundles: Record<string, Uint8Array<ArrayBuffer>> }>();
  topic.publish({ bundles: {} });
  const server = new Server();
  const connections = new Set<string>();
  const { definition, implementation } = serviceImplementation(SpiffeWorkloadAPI, {
    fetchX509Bundles: (_request, ctx) => topic.follow(ctx.signal),
    validateJWTSVID: async (_request, ctx) => {
      connections.add(ctx.peerKey);
      return { spiffeId: port.peer({ getPeer: () => ctx.peerKey })?.chain[0]?.serialHex ?? '' };
    },
  });
  server.addService(definition, implementation);
  const port = await serveGrpc(server, { ...(following === 'server' ? live : fixed), host: '127.0.0.1', port: 0 });
  const address = `127.0.0.1:${port.port}`;
  const channelCredentials = spiffeChannelCredentials(following === 'client' ? live : fixed);
  const client = createClient(SpiffeWorkloadAPI, { address, credentials: channelCredentials });
  cleanups.push(
    () => source.close(),
    () => (server.forceShutdown(), port.close()),
    () => client.close(),
  );
  const serial = async () => (await client.validateJWTSVID({}, { deadline: 10 })).spiffeId;
  const stream = () => client.fetchX509Bundles({})[Symbol.asyncIterator]();
  return { serial, stream, topic, connections, address, channelCredentials };
}

it('goes on with a new connection once there is a new SVID, while a running call ends undisturbed on the old', async () => {
  const { serial, stream, topic, connections } = await channel();
  const running = stream();
  expect((await running.next()).done).toBe(false);
  const before = await serial();
  const after = await issue();
  await until(async () => (await serial()) === after);
  expect([connections.size, before === after]).toEqual([2, false]);
  const next = running.next();
  topic.publish({ bundles: { 'spiffe://a.test': Uint8Array.of(1) } });
  expect(Object.keys((await next).value?.bundles ?? {})).toEqual(['spiffe://a.test']);
  await running.return?.();
});

it('closes a connection that has no call', async () => {
  const { serial, address, channelCredentials } = await channel();
  await serial();
  const unused = new Client(address, channelCredentials);
  cleanups.push(() => unused.close());
  await new Promise((resolve) => unused.waitForReady(Date.now() + 10_000, resolve));
  const state = () => unused.getChannel().getConnectivityState(false);
  expect(state()).toBe(connectivityState.READY);
  await issue();
  await until(() => state() !== connectivityState.READY);
});

it('does so without a failed call, however often the SVID changes', async () => {
  const { serial } = await channel();
  await serial();
  const calls: Promise<string>[] = [];
  for (let round = 0; round < 10; round++) {
    await issue();
    for (let call = 0; call < 5; call++) calls.push(serial());
    await calls.at(-1);
  }
  expect((await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected')).toEqual([]);
});

it.each(['client', 'server'] as const)('fails running calls when the %s no longer trusts its peer', async (side) => {
  const { serial, stream } = await channel(side);
  const running = stream();
  await running.next();
  const next = running.next();
  await a.rotate();
  a.revokeOld();
  await issue();
  await expect(next).rejects.toMatchObject({ name: 'GrpcError', code: Code.UNAVAILABLE });
  await expect(serial()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
});
