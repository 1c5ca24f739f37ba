import { type Agent, get } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { BundleSet, SpiffeId } from '@steeple/spiffe';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { authorizeId } from './authorize.ts';
import { createHttpsServer } from './create-server.ts';
import { anyone, closed, listening, SettableSvid, type TwoDomains, twoDomains, until } from './fixture.ts';
import { spiffeHttpsAgent } from './https-agent.ts';
import { peerOf, requirePeer, type SpiffeServerOptions } from './server-guard.ts';

let domains: TwoDomains;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  domains = await twoDomains();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(options: Partial<SpiffeServerOptions> = {}) {
  const svid = new SettableSvid(await domains.a.x509Svid('/web'));
  const requests: (string | undefined)[] = [];
  const server = await listening(
    createHttpsServer({ svid, bundles: domains.onlyA, ...anyone, ...options }, (request, response) => {
      requests.push(request.url);
      response.end(peerOf(request.socket)?.id.toString() ?? 'nobody');
    }),
  );
  cleanups.push(() => closed(server));
  return { server, port: server.port, svid, requests };
}

function agent(options: Parameters<typeof spiffeHttpsAgent>[0], settings?: object): Agent {
  const made = spiffeHttpsAgent(options, settings);
  cleanups.push(() => made.destroy());
  return made;
}

function ask(port: number, by: Agent, path = '/'): Promise<{ body: string; presented: string | undefined }> {
  return new Promise((resolve, reject) => {
    let presented: string | undefined;
    const request = get({ host: 'localhost', port, path, agent: by }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ body, presented })).on('error', reject);
    });
    request.on('error', reject).on('socket', (socket) => {
      presented = (socket as TLSSocket).getPeerCertificate().serialNumber;
    });
  });
}

describe('https', () => {
  it('serves a verified client and knows it', async () => {
    const { port } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/web'));
    const answer = await ask(port, agent({ svid, bundles: domains.onlyA, ...anyone, authorize }));
    expect(answer.body).toBe('spiffe://a.test/client');
  });

  it('lets no request of a refused client reach the handler', async () => {
    const { port, requests } = await serve();
    const svid = new SettableSvid(await domains.b.x509Svid('/client'));
    await expect(ask(port, agent({ svid, bundles: domains.onlyA, ...anyone }))).rejects.toThrow();
    await expect(ask(port, agent({ bundles: domains.onlyA, ...anyone }))).rejects.toThrow();
    expect(requests).toEqual([]);
  });

  it('sends no request to a server that is not the expected one', async () => {
    const { port, requests } = await serve();
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/other'));
    const refused = ask(port, agent({ svid, bundles: domains.onlyA, ...anyone, authorize }));
    await expect(refused).rejects.toMatchObject({ code: 'unauthorized-peer' });
    expect(requests).toEqual([]);
  });

  it('rotates under load without a failed request', async () => {
    const a = await TestTrustDomain.create('a.test');
    const bundles = new BundleSet();
    bundles.set(a.bundle);
    const { port, svid } = await serve({ bundles });
    svid.current = await a.x509Svid('/web');
    const client = new SettableSvid(await a.x509Svid('/client'));
    const keepAlive = agent({ svid: client, bundles, ...anyone }, { keepAlive: true, maxSockets: 4 });
    const oneShot = agent({ svid: client, bundles, ...anyone }, { keepAlive: false });
    const presented = { keepAlive: new Set<string | undefined>(), oneShot: new Set<string | undefined>() };

    const over = new AbortController();
    const load = async (by: Agent, seen: Set<string | undefined>) => {
      let answered = 0;
      while (!over.signal.aborted) {
        const answer = await ask(port, by);
        expect(answer.body).toBe('spiffe://a.test/client');
        seen.add(answer.presented);
        answered += 1;
      }
      return answered;
    };
    const loads = [
      load(keepAlive, presented.keepAlive),
      load(keepAlive, presented.keepAlive),
      load(oneShot, presented.oneShot),
    ];
    const met = (count: number) => Promise.race([until(() => presented.oneShot.size >= count), Promise.all(loads)]);
    await met(1);
    for (const count of [2, 3, 4]) {
      await a.rotate();
      bundles.set(a.bundle);
      svid.current = await a.x509Svid('/web');
      client.current = await a.x509Svid('/client');
      await met(count);
    }
    // Connections that are kept follow too.
    await Promise.race([until(() => presented.keepAlive.size > 1), Promise.all(loads)]);
    over.abort();
    const answered = await Promise.all(loads);
    expect(Math.min(...answered)).toBeGreaterThan(0);
    expect(presented.oneShot.size).toBe(4);
  });

  it('keeps a connection for the next request until identity or trust changes', async () => {
    const a = await TestTrustDomain.create('a.test');
    const bundles = BundleSet.of(a.bundle);
    const { server, port, svid } = await serve({ bundles });
    svid.current = await a.x509Svid('/web');
    let connections = 0;
    server.on('secureConnection', () => (connections += 1));
    const client = new SettableSvid(await a.x509Svid('/client'));
    const kept = agent({ svid: client, bundles, ...anyone });
    const after = async (change: () => unknown) => {
      await ask(port, kept);
      await change();
      // The connection in use at the change serves one more request, and is closed behind it.
      await ask(port, kept);
      await ask(port, kept);
      return connections;
    };
    expect(await after(() => {})).toBe(1);
    expect(await after(async () => (client.current = await a.x509Svid('/client')))).toBe(2);
    expect(await after(() => bundles.set(a.bundle))).toBe(2);
    await a.rotate();
    expect(await after(() => bundles.set(a.bundle))).toBe(3);
    client.current = undefined;
    await ask(port, kept);
    await expect(ask(port, kept)).rejects.toThrow('no SVID');
  });

  it('has an identity for handlers that insist, or an error', async () => {
    const { server, port } = await serve({ clientCertificate: 'optional' });
    const outcomes: string[] = [];
    server.prependListener('request', (request) => {
      try {
        outcomes.push(requirePeer(request.socket).id.toString());
      } catch (error) {
        outcomes.push((error as { code: string }).code);
      }
    });
    await ask(port, agent({ bundles: domains.onlyA, ...anyone }));
    const svid = new SettableSvid(await domains.a.x509Svid('/client'));
    await ask(port, agent({ svid, bundles: domains.onlyA, ...anyone }));
    expect(outcomes).toEqual(['no-peer-certificate', 'spiffe://a.test/client']);
  });
});
