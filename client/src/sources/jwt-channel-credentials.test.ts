import { credentials, Metadata, Server } from '@grpc/grpc-js';
import { Code, createClient, GrpcError, serviceImplementation } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { expect, it } from 'vitest';
import { jwtCallVerifier } from '../requests/jwt-verifiers.ts';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { jwtResponse } from '../testing/wire-state.ts';
import { authorizeAny } from '../tls/authorize.ts';
import { anyone, SettableSvid, twoDomains } from '../tls/fixture.ts';
import { spiffeChannelCredentials } from '../tls/grpc-channel-credentials.ts';
import { serveGrpc } from '../tls/serve-grpc.ts';
import { jwtChannelCredentials } from './jwt-channel-credentials.ts';
import { JwtSource } from './jwt-source.ts';

async function world() {
  const { a, onlyA: bundles } = await twoDomains();
  const api = await FakeWorkloadApi.start();
  const source = await JwtSource.open({ address: api.address });
  const token = await a.jwtSvid('/w', ['service']);
  api.answerJwt = async () => jwtResponse([token]);
  // Any service does; this one is at hand.
  const server = new Server();
  const received: unknown[] = [];
  const { definition, implementation } = serviceImplementation(SpiffeWorkloadAPI, {
    validateJWTSVID: async (_request, ctx) => {
      received.push(ctx.metadata.get('authorization'));
      return {};
    },
  });
  server.addService(definition, implementation);
  const svid = new SettableSvid(await a.x509Svid('/w'));
  const stop = async () => {
    server.forceShutdown();
    await source.close();
    await api.close();
  };
  return { api, source, token, server, received, svid, bundles, [Symbol.asyncDispose]: stop };
}

it('sends the JWT-SVID as bearer token with each call, and fails the call when there is none (JWT-19)', async () => {
  await using it = await world();
  const { svid, bundles, received } = it;
  const port = await serveGrpc(it.server, { svid, bundles, ...anyone, host: '127.0.0.1', port: 0 });
  const channel = spiffeChannelCredentials({ svid, bundles, ...anyone });
  const call = async (audience: string) => {
    const client = createClient(SpiffeWorkloadAPI, {
      address: `127.0.0.1:${port.port}`,
      credentials: jwtChannelCredentials(channel, it.source, audience).compose(other),
    });
    return client.validateJWTSVID({}, { deadline: 10 }).finally(() => client.close());
  };
  const other = credentials.createFromMetadataGenerator((_call, done) => done(null, new Metadata()));

  await call('service');
  expect(received).toEqual([[`Bearer ${it.token.token}`]]);
  it.api.answerJwt = async () => {
    throw new GrpcError(Code.PERMISSION_DENIED, 'no identity issued');
  };
  await expect(call('elsewhere')).rejects.toMatchObject({ name: 'GrpcError' });
  expect(received).toHaveLength(1);
  await port.close();
});

it('takes no channel that is not protected (JWT-27)', async () => {
  await using it = await world();
  expect(() => jwtChannelCredentials(credentials.createInsecure(), it.source, 'service')).toThrow('insecure');
});

it('is for one service', async () => {
  await using it = await world();
  for (const audience of ['', ' ', 'spiffe://a.test', 'spiffe://a.test/']) {
    expect(() => jwtChannelCredentials(credentials.createSsl(), it.source, audience)).toThrow(TypeError);
  }
});

it('is read on the other side by jwtCallVerifier, which answers with the right status', async () => {
  await using it = await world();
  const verify = jwtCallVerifier({ source: it.source, audience: 'service', authorize: authorizeAny() });
  const call = (...values: string[]) => {
    const metadata = new Metadata();
    for (const value of values) metadata.add('authorization', value);
    return verify({ metadata });
  };
  const good = `Bearer ${it.token.token}`;
  const answer = { spiffeId: 'spiffe://a.test/w', claims: { sub: 'spiffe://a.test/w' } };
  it.api.answerValidate = async () => answer;
  expect((await call(good)).id.toString()).toBe('spiffe://a.test/w');
  for (const values of [[], ['Basic x'], [good, good]]) {
    await expect(call(...values)).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  }
  it.api.answerValidate = async () => {
    throw new GrpcError(Code.INVALID_ARGUMENT, 'token has expired');
  };
  await expect(call(good)).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  await it.api.crash();
  await expect(call(good)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
});
