// What SPIRE 1.15.3 takes, hangs on or calls its own fault, and this server refuses with the status that is due.
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { Code } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, svidV1, trustdomainV1 } from '@steeple/proto/server-api';
import type { X509Svid } from '@steeple/spiffe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attestMessages, idOf, newRequest, TestServer } from './testing/test-server.ts';
import { weakRequests } from './testing/weak-requests.ts';

let server: TestServer;
let agent: X509Svid;
beforeAll(async () => {
  server = await TestServer.start();
  agent = await server.attest();
});
afterAll(() => server[Symbol.asyncDispose]());

const invalid = { code: Code.INVALID_ARGUMENT };
const selectors = [{ type: 'unix', value: 'uid:1' }];
const entry = (more: object = {}) => ({ spiffeId: idOf('/x'), parentId: idOf('/p'), selectors, ...more });

describe('keys that prove nothing', () => {
  const weak = weakRequests('spiffe://example.org/weak');
  const names = Object.keys(weak);
  const of = (name: string): Uint8Array<ArrayBuffer> => weak[name] ?? Uint8Array.of();

  it.each(names)('%s joins nobody, and leaves the token as it is', async (name) => {
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 60 });
    const stranger = await server.remote(agentV1.Agent);
    const stream = stranger.attestAgent(attestMessages(value, of(name)))[Symbol.asyncIterator]();
    await expect(stream.next()).rejects.toMatchObject(invalid);
    await server.attest(value);
  });

  it.each(names)('%s gets no certificate', async (name) => {
    const csr = of(name);
    await expect((await server.remote(agentV1.Agent, agent)).renewAgent({ params: { csr } })).rejects.toMatchObject(
      invalid,
    );
    await expect(server.admin(svidV1.SVID).mintX509SVID({ csr })).rejects.toMatchObject(invalid);
    const entryId = await server.createEntry(agent, `/weak/${names.indexOf(name)}`);
    const { results } = await (await server.remote(svidV1.SVID, agent)).batchNewX509SVID({
      params: [{ entryId, csr }],
    });
    expect(results[0]?.status).toMatchObject(invalid);
    expect(results[0]?.svid).toBeUndefined();
  });

  it('a renewal that somebody else signed is none', async () => {
    const { csr } = await newRequest();
    const forged = csr.map((byte, index) => (index === csr.length - 1 ? byte ^ 1 : byte));
    const renewal = (await server.remote(agentV1.Agent, agent)).renewAgent({ params: { csr: forged } });
    await expect(renewal).rejects.toMatchObject(invalid);
  });
});

describe('a mistake of the caller is InvalidArgument, which nobody retries for ever', () => {
  it.each([['x'], ['-1'], ['1.5'], ['99999999999999999999'], ['of many letters', 'a'.repeat(10_000)]])(
    'the page %s',
    async (name, pageToken = name) => {
      const page = { pageSize: 5, pageToken };
      await expect(server.admin(entryV1.Entry).listEntries(page)).rejects.toMatchObject(invalid);
      await expect(server.admin(agentV1.Agent).listAgents(page)).rejects.toMatchObject(invalid);
      await expect(server.admin(bundleV1.Bundle).listFederatedBundles(page)).rejects.toMatchObject(invalid);
      await expect(server.admin(trustdomainV1.TrustDomain).listFederationRelationships(page)).rejects.toMatchObject(
        invalid,
      );
    },
  );

  it.each([[['']], [['a', '']], [[]]])('the audience %j', async (audience) => {
    const entryId = await server.createEntry(agent, `/audience/${audience.length}${audience[0] ?? ''}`);
    await expect((await server.remote(svidV1.SVID, agent)).newJWTSVID({ entryId, audience })).rejects.toMatchObject(
      invalid,
    );
    const id = idOf('/x');
    await expect(server.admin(svidV1.SVID).mintJWTSVID({ id, audience })).rejects.toMatchObject(invalid);
  });

  it.each<[string, object]>([
    ['an ID over 2048 bytes', { spiffeId: idOf(`/${'x'.repeat(2048)}`) }],
    ['thousands of selectors', { selectors: Array.from({ length: 5000 }, (_, n) => ({ type: 'a', value: `${n}` })) }],
    ['a selector of a megabyte', { selectors: [{ type: 'a', value: 'x'.repeat(1_000_000) }] }],
    ['an expiry before time', { expiresAt: -1n }],
    ...['a b', 'a\0b', 'a\nb', 'a/b', 'a:80', 'a@b', '192.0.2.1', '::1', '*', 'a.*', '-a'].map(
      (name): [string, object] => [`the DNS name ${JSON.stringify(name)}`, { dnsNames: [name] }],
    ),
  ])('%s', async (_what, more) => {
    const { results } = await server.admin(entryV1.Entry).batchCreateEntry({ entries: [entry(more)] });
    expect(results[0]?.status).toMatchObject(invalid);
    expect(results[0]?.entry).toBeUndefined();
  });

  it('a join token of a megabyte', async () => {
    const made = server.admin(agentV1.Agent).createJoinToken({ ttl: 60, token: 't'.repeat(1_000_000) });
    await expect(made).rejects.toMatchObject(invalid);
  });
});

it('takes ten thousand entries at once, and answers others meanwhile', async () => {
  const entries = Array.from({ length: 10_000 }, (_, n) =>
    entry({ spiffeId: idOf(`/many/${n}`), selectors: [{ type: 'unix', value: `uid:${n}` }] }),
  );
  const others = server.admin(bundleV1.Bundle);
  const state = { over: false };
  const created = server
    .admin(entryV1.Entry)
    .batchCreateEntry({ entries, outputMask: {} })
    .finally(() => {
      state.over = true;
    });
  let answered = 0;
  while (!state.over) {
    await others.getBundle({ outputMask: {} });
    answered += 1;
  }
  const { results } = await created;
  expect(results.filter(({ status }) => status?.code === 0)).toHaveLength(10_000);
  expect(answered).toBeGreaterThan(1);
});

describe('TLS 1.2', () => {
  const dial = async (): Promise<TLSSocket> => {
    const { port } = server.running.addresses;
    const version = 'TLSv1.2';
    const socket = connect({
      port,
      minVersion: version,
      maxVersion: version,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  };

  it('serves strangers, who have no certificate', async () => {
    const socket = await dial();
    expect([socket.alpnProtocol, socket.getProtocol()]).toEqual(['h2', 'TLSv1.2']);
    socket.destroy();
  });

  it('never renegotiates: who somebody is was settled at the beginning', async () => {
    const socket = await dial();
    const outcome = new Promise<string>((resolve) => {
      socket.once('close', () => resolve('refused'));
      socket.renegotiate({ rejectUnauthorized: false }, () => resolve('renegotiated'));
    });
    // Only with the next words does either side notice how the other took it.
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(await outcome).toBe('refused');
    socket.destroy();
  });
});
