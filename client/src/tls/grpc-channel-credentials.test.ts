import { credentials, Metadata, Server } from '@grpc/grpc-js';
import { Code, createClient, GrpcError, serviceImplementation } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { SpiffeId } from '@steeple/spiffe';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authorizeId } from './authorize.ts';
import { anyone, SettableSvid, type TwoDomains, twoDomains, until } from './fixture.ts';
import { spiffeChannelCredentials } from './grpc-channel-credentials.ts';
import { type SpiffeGrpcPort, serveGrpc } from './serve-grpc.ts';
import type { SpiffeServerOptions } from './server-guard.ts';

// Any service does; this one is at hand. The answer names the caller.
let domains: TwoDomains;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  domains = await twoDomains();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(options: Partial<SpiffeServerOptions> = {}) {
  const svid = new SettableSvid(await domains.a.x509Svid('/grpc'));
  const refused: Error[] = [];
  const server = new Server();
  let bound: SpiffeGrpcPort | undefined;
  const { definition, implementation } = serviceImplementation(SpiffeWorkloadAPI, {
    validateJWTSVID: async (_request, ctx) => ({
      spiffeId: bound?.peer({ getPeer: () => ctx.peerKey })?.id.toString() ?? 'nobody',
    }),
  });
  server.addService(definition, implementation);
  bound = await serveGrpc(server, {
    svid,
    bundles: domains.onlyA,
    ...anyone,
    onRefused: (error) => refused.push(error),
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  const stop = async () => {
    server.forceShutdown();
    await bound?.close();
  };
  cleanups.push(stop);
  return { port: bound.port, svid, refused, bound };
}

function clientOf(port: number, channel: ReturnType<typeof spiffeChannelCredentials>) {
  const client = createClient(SpiffeWorkloadAPI, { address: `127.0.0.1:${port}`, credentials: channel });
  cleanups.push(() => client.close());
  return { whoAmI: async () => (await client.validateJWTSVID({}, { deadline: 10 })).spiffeId };
}

describe('spiffeChannelCredentials with serveGrpc', () => {
  it('speaks mTLS, and each call knows its caller', async () => {
    const { port, refused } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/grpc'));
    const client = clientOf(port, spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone, authorize }));
    expect(await client.whoAmI()).toBe('spiffe://a.test/client');
    expect(refused).toEqual([]);
  });

  it('fails UNAVAILABLE, saying who was met and who was expected', async () => {
    const { port } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/other'));
    const client = clientOf(port, spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone, authorize }));
    const error = await client.whoAmI().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GrpcError);
    expect(error).toMatchObject({ code: Code.UNAVAILABLE });
    expect((error as Error).message).toContain('peer presented spiffe://a.test/grpc, expected spiffe://a.test/other');
  });

  it('does not trust a server by the roots of another trust domain (B2)', async () => {
    const { port } = await serve();
    const client = clientOf(port, spiffeChannelCredentials({ bundles: domains.wrongRoots, ...anyone }));
    await expect(client.whoAmI()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('is refused by the server without a certificate', async () => {
    const { port, refused } = await serve();
    const client = clientOf(port, spiffeChannelCredentials({ bundles: domains.onlyA, ...anyone }));
    await expect(client.whoAmI()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    expect(refused[0]).toMatchObject({ code: 'no-peer-certificate' });
  });

  it('is nobody without a certificate where strangers are allowed', async () => {
    const { port } = await serve({ clientCertificate: 'optional' });
    const client = clientOf(port, spiffeChannelCredentials({ bundles: domains.onlyA, ...anyone }));
    expect(await client.whoAmI()).toBe('nobody');
  });

  it('presents the SVID of the moment on the next connection of the same channel', async () => {
    const { port, svid: serving, bound } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/before'));
    const met: string[] = [];
    const authorize = (_id: SpiffeId, [leaf]: readonly { serialHex: string }[]) => void met.push(leaf?.serialHex ?? '');
    const client = clientOf(port, spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone, authorize }));
    expect(await client.whoAmI()).toBe('spiffe://a.test/before');
    svid.current = await domains.a.x509Svid('/after');
    serving.current = await domains.a.x509Svid('/grpc');
    expect(await client.whoAmI()).toBe('spiffe://a.test/before');
    bound.drain(0);
    await until(async () => (await client.whoAmI().catch(() => '')) === 'spiffe://a.test/after');
    expect(new Set(met).size).toBe(2);
  });

  it('connects nowhere while it has no SVID, and recovers', async () => {
    const { port } = await serve();
    const svid = new SettableSvid();
    const client = clientOf(port, spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone }));
    await expect(client.whoAmI()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    svid.current = await domains.a.x509Svid('/client');
    await until(async () => (await client.whoAmI().catch(() => '')) === 'spiffe://a.test/client');
  });

  it('composes with call credentials', async () => {
    const { port } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    const asked: string[] = [];
    const perCall = credentials.createFromMetadataGenerator(({ service_url: url }, done) => {
      asked.push(url);
      done(null, new Metadata());
    });
    const channel = spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone }).compose(perCall);
    expect(await clientOf(port, channel).whoAmI()).toBe('spiffe://a.test/client');
    expect(asked).toHaveLength(1);
  });

  it('shares no connection between two policies for the same address', async () => {
    const { port } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    const lenient = clientOf(port, spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone }));
    expect(await lenient.whoAmI()).toBe('spiffe://a.test/client');
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/other'));
    const strict = clientOf(port, spiffeChannelCredentials({ svid, bundles: domains.onlyA, ...anyone, authorize }));
    await expect(strict.whoAmI()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });
});
