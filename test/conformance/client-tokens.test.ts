// Tokens as our client sends them, and as our client's server side takes them.
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { credentials, Server } from '@grpc/grpc-js';
import {
  authorizeAny,
  authorizedFetch,
  BundleSet,
  callerOf,
  createHttpsServer,
  JwtSource,
  jwtChannelCredentials,
  jwtRequestVerifier,
  requireIdentity,
  serveGrpc,
  spiffeChannelCredentials,
  spiffeFetch,
  WitSource,
  witFetch,
  witRequestVerifier,
} from '@steeple/client';
import { jwtResponse } from '@steeple/client/testing';
import { createClient, serviceImplementation } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { afterEach, expect, it } from 'vitest';
import { clientWorld, failureOf } from './client-world.ts';

const SERVICE = 'spiffe://a.test/service';
const world = clientWorld();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Sources of /x, and TLS that trusts a.test. */
async function workload() {
  const { a, api, client } = world;
  const svid = await a.x509Svid('/x');
  api.issue({ svids: [svid], bundles: [a.bundle], wits: [await a.witSvid('/x')] });
  api.answerJwt = async (audience) => jwtResponse([await a.jwtSvid('/x', audience)]);
  const jwts = await JwtSource.open({ client, validation: 'local' });
  const wits = await WitSource.open({ client });
  const tls = { svid: { x509Svid: () => svid }, bundles: BundleSet.of(a.bundle), authorize: authorizeAny() };
  const fetch = spiffeFetch(tls);
  closers.push(
    () => jwts.close(),
    () => wits.close(),
    () => fetch[Symbol.dispose](),
  );
  return { jwts, wits, tls, fetch };
}

async function serve(tls: Awaited<ReturnType<typeof workload>>['tls'], handle: RequestListener): Promise<string> {
  const server = createHttpsServer({ ...tls, clientCertificate: 'none' }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => (server.closeAllConnections(), server.close()));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('[JWT-18] sends a JWT-SVID as bearer token over HTTP, by which the server knows who calls', async () => {
  const { jwts, tls, fetch } = await workload();
  const seen: IncomingHttpHeaders[] = [];
  const verify = jwtRequestVerifier({ source: jwts, audience: SERVICE, authorize: authorizeAny() });
  const guard = requireIdentity(verify);
  const origin = await serve(tls, (request, response) => {
    seen.push(request.headers);
    guard(request, response, () => response.end(callerOf(request).id.toString()));
  });
  const response = await authorizedFetch(jwts, { audience: SERVICE, fetch })(origin);
  expect(await response.text()).toBe('spiffe://a.test/x');
  expect(seen[0]?.authorization).toBe(`Bearer ${(await jwts.fetch(SERVICE)).token}`);
  expect((await fetch(origin)).status).toBe(401);
});

it('[JWT-19] sends a JWT-SVID as bearer token in the metadata of a gRPC call', async () => {
  const { jwts, tls } = await workload();
  const server = new Server();
  const seen: unknown[] = [];
  const { definition, implementation } = serviceImplementation(SpiffeWorkloadAPI, {
    validateJWTSVID: async (_request, ctx) => (seen.push(...ctx.metadata.get('authorization')), {}),
  });
  server.addService(definition, implementation);
  const port = await serveGrpc(server, { ...tls, host: '127.0.0.1', port: 0 });
  const channel = jwtChannelCredentials(spiffeChannelCredentials(tls), jwts, SERVICE);
  const caller = createClient(SpiffeWorkloadAPI, { address: `127.0.0.1:${port.port}`, credentials: channel });
  closers.push(
    () => (server.forceShutdown(), port.close()),
    () => caller.close(),
  );
  await caller.validateJWTSVID({}, { deadline: 10 });
  expect(seen).toEqual([`Bearer ${(await jwts.fetch(SERVICE)).token}`]);
});

it('[JWT-27] sends no JWT-SVID over an unprotected hop: http is refused, and an insecure gRPC channel', async () => {
  const { jwts } = await workload();
  let requests = 0;
  const plain = createServer((_request, response) => void (requests++, response.end()));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  closers.push(() => plain.close());
  const url = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
  expect(await failureOf(authorizedFetch(jwts, { audience: SERVICE })(url))).toBeInstanceOf(TypeError);
  expect(requests).toBe(0);
  expect(() => jwtChannelCredentials(credentials.createInsecure(), jwts, SERVICE)).toThrow();
  // What the operator protects otherwise is for the operator to say.
  expect((await authorizedFetch(jwts, { audience: SERVICE, allowPlaintext: true })(url)).ok).toBe(true);
});

it('[JWT-11] asks for one audience per request, and refuses one that is a whole trust domain', async () => {
  const { jwts } = await workload();
  const audiences: (readonly string[])[] = [];
  const answer = world.api.answerJwt;
  world.api.answerJwt = async (audience, id) => (audiences.push(audience), answer(audience, id));
  const audience = ({ hostname }: URL) => `spiffe://a.test/${hostname}`;
  const fetch = authorizedFetch(jwts, { audience, fetch: async () => new Response() });
  await fetch('https://orders/1');
  await fetch('https://stock/1');
  expect(audiences).toEqual([['spiffe://a.test/orders'], ['spiffe://a.test/stock']]);
  for (const whole of ['spiffe://a.test', 'spiffe://a.test/', '']) {
    expect(() => authorizedFetch(jwts, { audience: whole })).toThrow(TypeError);
    expect(() => jwtChannelCredentials(credentials.createSsl(), jwts, whole)).toThrow(TypeError);
    const policy = { source: jwts, audience: whole, authorize: authorizeAny() };
    expect(() => jwtRequestVerifier(policy)).toThrow(TypeError);
  }
});

it('[WIT-29] [WIT-30] [WIT-39] knows nobody by a WIT-SVID alone or as a bearer, nor by a proof seen before', async () => {
  const { wits, jwts, tls, fetch } = await workload();
  let seen: Record<string, string> = {};
  let handle: RequestListener = () => {};
  const origin = await serve(tls, (request, response) => handle(request, response));
  const byWit = requireIdentity(witRequestVerifier({ ...tls, origin }));
  const byJwt = requireIdentity(jwtRequestVerifier({ ...tls, source: jwts, audience: SERVICE }));
  handle = (request, response) => {
    seen = request.headers as Record<string, string>;
    const guard = request.url === '/jwt' ? byJwt : byWit;
    guard(request, response, () => response.end(callerOf(request).id.toString()));
  };
  const proven = await witFetch(wits, { fetch })(`${origin}/api?q=1`);
  expect([proven.status, await proven.text()]).toEqual([200, 'spiffe://a.test/x']);
  const { 'workload-identity-token': wit = '', 'workload-proof-token': proof = '', authorization } = seen;
  expect([wit, authorization]).toEqual([wits.witSvid().token, undefined]);

  const statusOf = async (path: string, headers: Record<string, string>) =>
    (await fetch(`${origin}${path}`, { headers })).status;
  expect(await statusOf('/api', { 'workload-identity-token': wit })).toBe(400);
  expect(await statusOf('/api', { authorization: `Bearer ${wit}` })).toBe(400);
  expect(await statusOf('/jwt', { authorization: `Bearer ${wit}` })).toBe(401);
  expect(await statusOf('/api', { 'workload-identity-token': wit, 'workload-proof-token': proof })).toBe(400);
});
