import { once } from 'node:events';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { createServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectTls } from './connect.ts';
import { anyone, closed, listening, SettableSvid, type TwoDomains, twoDomains, until } from './fixture.ts';
import { guardServer, peerOf, type SpiffeServerOptions, serverOptions } from './server-guard.ts';

let domains: TwoDomains;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  domains = await twoDomains();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function options(refused: Error[] = []): Promise<SpiffeServerOptions> {
  const svid = new SettableSvid(await domains.a.x509Svid('/server'));
  return { svid, bundles: domains.onlyA, ...anyone, onRefused: (error) => refused.push(error) };
}

describe('guardServer', () => {
  it('keeps a refused connection from every listener, early or late', async () => {
    const refused: Error[] = [];
    const settings = await options(refused);
    const seen: string[] = [];
    const server = createServer(serverOptions(settings), () => seen.push('at creation'));
    server.prependListener('secureConnection', () => seen.push('before the guard'));
    guardServer(server, settings);
    server.prependListener('secureConnection', () => seen.push('after the guard'));
    const { port } = await listening(server);
    cleanups.push(() => closed(server));
    const stranger = { bundles: domains.onlyA, ...anyone };
    await connectTls({ host: '127.0.0.1', port }, stranger).then(
      ({ socket }) => socket.on('error', () => {}).resume(),
      () => {},
    );
    await until(() => refused.length === 1);
    expect(seen).toEqual([]);
  });

  it('tells of a refusal while the address is still known', async () => {
    const addresses: (string | undefined)[] = [];
    const settings = await options();
    const server = createServer(serverOptions(settings));
    guardServer(server, { ...settings, onRefused: (_error, socket) => addresses.push(socket.remoteAddress) });
    const { port } = await listening(server);
    cleanups.push(() => closed(server));
    const stranger = { bundles: domains.onlyA, ...anyone };
    await connectTls({ host: '127.0.0.1', port }, stranger).then(
      ({ socket }) => socket.on('error', () => {}).resume(),
      () => {},
    );
    await until(() => addresses.length === 1);
    expect(addresses).toEqual(['127.0.0.1']);
  });

  it('guards node:http2 as well', async () => {
    const settings = await options();
    const server = createSecureServer(serverOptions(settings));
    guardServer(server, settings);
    const requests: string[] = [];
    server.on('stream', (stream) => {
      requests.push(peerOf(stream.session?.socket as never)?.id.toString() ?? 'nobody');
      stream.respond({ ':status': 200 });
      stream.end();
    });
    server.on('sessionError', () => {});
    const { port } = await listening(server);
    cleanups.push(() => closed(server));
    const ask = async (svid: SettableSvid | undefined) => {
      const { socket } = await connectTls(
        { host: '127.0.0.1', port, ALPNProtocols: ['h2'] },
        { svid, bundles: domains.onlyA, ...anyone },
      );
      const session = connectHttp2(`https://localhost:${port}`, { createConnection: () => socket });
      session.on('error', () => {});
      const stream = session.request({ ':path': '/' });
      const [headers] = await Promise.race([once(stream, 'response'), once(session, 'close').then(() => [undefined])]);
      session.destroy();
      return (headers as { ':status'?: number } | undefined)?.[':status'];
    };
    expect(await ask(new SettableSvid(await domains.a.x509Svid('/client')))).toBe(200);
    expect(await ask(new SettableSvid(await domains.b.x509Svid('/client'))).catch(() => undefined)).toBeUndefined();
    expect(await ask(undefined).catch(() => undefined)).toBeUndefined();
    expect(requests).toEqual(['spiffe://a.test/client']);
  });
});
