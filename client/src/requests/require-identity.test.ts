import { once } from 'node:events';
import { connect, createSecureServer, type IncomingHttpHeaders } from 'node:http2';
import { expect, it } from 'vitest';
import { authorizeAny } from '../tls/authorize.ts';
import { connectTls } from '../tls/connect.ts';
import { anyone, listening, SettableSvid } from '../tls/fixture.ts';
import { guardServer, serverOptions } from '../tls/server-guard.ts';
import { RequestRefused } from './request-refused.ts';
import { callerOf, requireIdentity } from './require-identity.ts';
import { witRequestVerifier } from './wit-verifier.ts';
import { requestWorld } from './world.fixture.ts';

it('guards a server of node:http2', async () => {
  await using world = await requestWorld();
  const options = { svid: new SettableSvid(await world.a.x509Svid('/web')), bundles: world.bundles, ...anyone };
  const tls = { ...options, clientCertificate: 'none' } as const;
  const origin = 'https://web.test';
  const guard = requireIdentity(witRequestVerifier({ bundles: world.bundles, origin, authorize: authorizeAny() }));
  const server = createSecureServer(serverOptions(tls), (request, response) =>
    guard(request, response, () => response.end(callerOf(request).id.toString())),
  );
  const { port } = await listening(guardServer(server, tls));
  const { socket } = await connectTls({ host: '127.0.0.1', port, ALPNProtocols: ['h2'] }, options);
  const session = connect(origin, { createConnection: () => socket });
  const get = async (headers: Record<string, string>) => {
    const stream = session.request({ ':path': '/api?q=1', ...headers });
    const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
    return [answer[':status'], Buffer.concat(await stream.toArray()).toString()];
  };
  expect(await get(world.wits.headers(new URL(`${origin}/api`)))).toEqual([200, 'spiffe://a.test/client']);
  expect((await get({}))[0]).toBe(400);
  session.close();
  server.close();
});

it('answers what the verifier fails with otherwise as a fault of ours, and lets nobody in', async () => {
  const written: unknown[] = [];
  const response = { writeHead: (status: number) => written.push(status), end: (body: string) => written.push(body) };
  const told: Error[] = [];
  const run = (failure: unknown) =>
    new Promise<void>((resolve) => {
      const onRefused = (error: Error) => (told.push(error), resolve());
      const guard = requireIdentity(() => Promise.reject(failure as Error), { onRefused });
      guard({ rawHeaders: [] } as never, response, () => written.push('let in'));
    });
  await run(new Error('secret detail'));
  await run(new RequestRefused(403, 'unauthorized-peer', 'not you'));
  expect(written).toEqual([500, expect.not.stringContaining('secret'), 403, expect.stringContaining('not you')]);
  expect(told).toHaveLength(2);
  expect(() => callerOf({})).toThrow(TypeError);
});
