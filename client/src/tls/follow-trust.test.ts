import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { BundleSet, type X509Svid } from '@steeple/spiffe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { X509Source } from '../sources/x509-source.ts';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { connectTls } from './connect.ts';
import { createHttpsServer, createTlsServer } from './create-server.ts';
import { anyone, closed, listening, SettableSvid, until } from './fixture.ts';
import { spiffeHttpsAgent } from './https-agent.ts';
import { spiffeFetch } from './spiffe-fetch.ts';

let a: TestTrustDomain;
let api: FakeWorkloadApi;
let source: X509Source;
let own: X509Svid;

beforeEach(async () => {
  a = await TestTrustDomain.create('a.test');
  api = await FakeWorkloadApi.start();
  own = await a.x509Svid('/own');
  api.issue({ svids: [own], bundles: [a.bundle] });
  source = await X509Source.open({ address: api.address });
});

afterEach(async () => {
  await source.close();
  await api.close();
});

/** Both sides of a TLS connection whose one side follows the fake Workload API. */
async function connection(following: 'client' | 'server') {
  const fixed = { svid: new SettableSvid(await a.x509Svid('/peer')), bundles: BundleSet.of(a.bundle), ...anyone };
  const live = { svid: source, bundles: source, ...anyone };
  const refused: Error[] = [];
  const accepted = Promise.withResolvers<TLSSocket>();
  const serving = { ...(following === 'server' ? live : fixed), onRefused: (error: Error) => void refused.push(error) };
  const server = await listening(createTlsServer(serving, (socket) => accepted.resolve(socket.resume())));
  const { socket } = await connectTls({ host: '127.0.0.1', port: server.port }, following === 'client' ? live : fixed);
  socket.resume().on('error', () => {});
  const peer = (await accepted.promise).on('error', () => {});
  return { socket, peer, refused, [Symbol.asyncDispose]: () => (socket.destroy(), closed(server)) };
}

describe('an open TLS connection', () => {
  it('is cut by the client when the authority of its server leaves the bundle, with the reason', async () => {
    await using open = await connection('client');
    const error = once(open.socket, 'error');
    await a.rotate();
    a.revokeOld();
    api.issue({ svids: [await a.x509Svid('/own')], bundles: [a.bundle] });
    expect((await error)[0]).toMatchObject({ code: 'untrusted-peer' });
    expect(open.socket.destroyed).toBe(true);
  });

  it('is cut by the server when the authority of its client leaves the bundle, and the refusal is told', async () => {
    await using open = await connection('server');
    const ended = once(open.socket, 'close');
    await a.rotate();
    a.revokeOld();
    api.issue({ svids: [await a.x509Svid('/own')], bundles: [a.bundle] });
    await ended;
    expect(open.refused).toMatchObject([{ code: 'untrusted-peer' }]);
  });

  it('is cut when everything is withdrawn', async () => {
    await using open = await connection('client');
    const ended = once(open.socket, 'close');
    api.withdraw();
    await ended.catch(() => {});
    expect(open.socket.destroyed).toBe(true);
  });

  it('outlives a rotation of its own SVID and new authorities beside the old', async () => {
    await using open = await connection('client');
    await a.rotate();
    const svid = await a.x509Svid('/own');
    api.issue({ svids: [svid], bundles: [a.bundle] });
    await until(() => source.x509Svid().leaf.equals(svid.leaf));
    expect([open.socket.destroyed, open.peer.destroyed]).toEqual([false, false]);
  });

  it('keeps no listener of the source once it is closed', async () => {
    const open = await connection('client');
    await open[Symbol.asyncDispose]();
    let judged = 0;
    open.socket.getPeerCertificate = () => (judged++, {}) as never;
    await a.rotate();
    a.revokeOld();
    api.issue({ svids: [await a.x509Svid('/own')], bundles: [a.bundle] });
    await until(() => !source.x509Svid().leaf.equals(own.leaf));
    expect(judged).toBe(0);
  });
});

describe('a connection of the HTTPS agent', () => {
  async function served() {
    const hanging: (() => void)[] = [];
    let connections = 0;
    const svid = new SettableSvid(await a.x509Svid('/web'));
    const server = createHttpsServer({ svid, bundles: BundleSet.of(a.bundle), ...anyone }, ({ url }, response) => {
      if (url === '/now') return void response.end('now');
      response.write('first ');
      return void hanging.push(() => response.end('last'));
    });
    server.on('secureConnection', () => void connections++);
    const { port } = await listening(server);
    const agent = spiffeHttpsAgent({ svid: source, bundles: source, ...anyone });
    const get = async (path: string) => {
      const call = request({ host: '127.0.0.1', port, path, agent }).on('error', () => {});
      call.end();
      return (await once(call, 'response'))[0] as IncomingMessage;
    };
    const read = async (message: IncomingMessage) => Buffer.concat(await message.toArray()).toString();
    const stop = () => (agent.destroy(), server.closeAllConnections(), closed(server));
    return { agent, port, get, read, hanging, connections: () => connections, [Symbol.asyncDispose]: stop };
  }
  const idle = (agent: ReturnType<typeof spiffeHttpsAgent>) => Object.values(agent.freeSockets).flat().length;

  it('is closed at once when idle, and after the running request otherwise, once another SVID is to be used', async () => {
    await using web = await served();
    const slow = await web.get('/slow');
    await web.read(await web.get('/now'));
    await until(() => idle(web.agent) === 1);
    api.issue({ svids: [await a.x509Svid('/own')], bundles: [a.bundle] });
    await until(() => idle(web.agent) === 0);
    web.hanging[0]?.();
    expect(await web.read(slow)).toBe('first last');
    await until(() => Object.values(web.agent.sockets).flat().length === 0);
    expect(idle(web.agent)).toBe(0);
    expect(await web.read(await web.get('/now'))).toBe('now');
    expect(web.connections()).toBe(3);
  });

  it('stays when an update changes nothing that concerns it', async () => {
    await using web = await served();
    await web.read(await web.get('/now'));
    const b = await TestTrustDomain.create('b.test');
    api.issue({ svids: [own], bundles: [a.bundle, b.bundle] });
    await until(() => source.bundleFor(b.trustDomain) !== undefined);
    expect(await web.read(await web.get('/now'))).toBe('now');
    expect(web.connections()).toBe(1);
  });

  it('is cut in the middle of a response when the server is no longer trusted, and a fetch fails alone', async () => {
    await using web = await served();
    const slow = await web.get('/slow');
    const read = web.read(slow);
    using fetch = spiffeFetch({ svid: source, bundles: source, ...anyone });
    const body = (await fetch(`https://127.0.0.1:${web.port}/slow`)).text();
    const outcomes = Promise.allSettled([read, body]);
    await a.rotate();
    a.revokeOld();
    api.issue({ svids: [await a.x509Svid('/own')], bundles: [a.bundle] });
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
