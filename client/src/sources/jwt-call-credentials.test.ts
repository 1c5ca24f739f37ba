import { Server } from '@grpc/grpc-js';
import { Code, createClient, GrpcError, serviceImplementation } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { expect, it } from 'vitest';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { jwtResponse } from '../testing/wire-state.ts';
import { anyone, SettableSvid, twoDomains } from '../tls/fixture.ts';
import { spiffeChannelCredentials } from '../tls/grpc-channel-credentials.ts';
import { serveGrpc } from '../tls/serve-grpc.ts';
import { jwtCallCredentials } from './jwt-call-credentials.ts';
import { JwtSource } from './jwt-source.ts';

it('sends the JWT-SVID as bearer token with each call, and fails the call when there is none (JWT-19)', async () => {
  const { a, onlyA: bundles } = await twoDomains();
  await using api = await FakeWorkloadApi.start();
  await using source = await JwtSource.open({ address: api.address });
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
  const port = await serveGrpc(server, { svid, bundles, ...anyone, host: '127.0.0.1', port: 0 });
  const channel = spiffeChannelCredentials({ svid, bundles, ...anyone });
  const address = `127.0.0.1:${port.port}`;
  const call = async (audience: string) => {
    const client = createClient(SpiffeWorkloadAPI, {
      address,
      credentials: channel.compose(jwtCallCredentials(source, audience)),
    });
    return client.validateJWTSVID({}, { deadline: 10 }).finally(() => client.close());
  };

  await call('service');
  expect(received).toEqual([[`Bearer ${token.token}`]]);
  api.answerJwt = async () => {
    throw new GrpcError(Code.PERMISSION_DENIED, 'no identity issued');
  };
  await expect(call('elsewhere')).rejects.toMatchObject({ name: 'GrpcError' });
  expect(received).toHaveLength(1);
  await port.close();
});
