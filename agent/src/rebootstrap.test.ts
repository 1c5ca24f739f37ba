import { readFile, writeFile } from 'node:fs/promises';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { toPem } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { createAgent } from './agent.ts';
import { ScriptedNode } from './testing/scripted-node.ts';
import { ScriptedServer } from './testing/scripted-server.ts';

const bundleOf = ({ bundle }: TestTrustDomain) =>
  bundle.x509Authorities.map(({ certificate }) => toPem('CERTIFICATE', certificate.raw)).join('');

/** A running agent that serves `/old`, whose server is then replaced by one that was built from nothing and serves `/new`. */
async function replaced(settings: Record<string, unknown>) {
  const node = await ScriptedNode.open(
    (server) => {
      server.reattestable = true;
      server.put({ id: 'a', path: '/old' });
    },
    undefined,
    settings,
  );
  await node.agent.start();
  await node.until(['/old']);
  const { port } = node.server;
  await node.server[Symbol.asyncDispose]();
  const domain = await TestTrustDomain.create('spire.test');
  const server = await ScriptedServer.start(domain, undefined, port);
  server.reattestable = true;
  server.put({ id: 'b', path: '/new' });
  return {
    node,
    server,
    domain,
    trustNewServer: () => writeFile(node.dir.join('bundle.pem'), bundleOf(domain)),
    data: async () =>
      JSON.parse(await readFile(node.dir.join('agent', 'agent-data.json'), 'utf8')) as Record<string, unknown>,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

const waitFor = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('an agent whose server was built anew', () => {
  it('begins anew when the configured bundle vouches for it, and replaces what the old one issued', async () => {
    await using world = await replaced({ rebootstrap_mode: 'auto', rebootstrap_delay: '0s' });
    const { node } = world;
    // The old bundle is still what is configured: nothing may be lost.
    await waitFor(() => node.log.messages('warn').includes('Could not bootstrap anew'));
    expect(await node.paths()).toEqual(['/old']);
    expect(world.server.count('AttestAgent')).toBe(0);
    expect(await world.data()).toMatchObject({ connection_attempts: expect.any(Number) });
    await world.trustNewServer();
    await node.until(['/new']);
    const abort = new AbortController();
    for await (const { svids } of node.workload.fetchX509SVID(
      {},
      { metadata: { 'workload.spiffe.io': 'true' }, signal: abort.signal },
    )) {
      const [root] = world.domain.bundle.x509Authorities;
      expect(Buffer.from(svids[0]?.bundle ?? '')).toEqual(Buffer.from(root?.certificate.raw ?? ''));
      break;
    }
    abort.abort();
    await waitFor(async () => (await world.data())['bootstrap_start_time'] === '0001-01-01T00:00:00Z');
    expect(node.agent.health.live).toBe(true);
  });

  it('waits for the configured time, restarts included', async () => {
    await using world = await replaced({ rebootstrap_mode: 'auto', rebootstrap_delay: '1h' });
    const { node } = world;
    await world.trustNewServer();
    await waitFor(() =>
      node.log.messages('warn').some((message) => message.startsWith('The server is not trusted; if')),
    );
    await node.agent.stop();
    const before = await world.data();
    expect(Date.parse(String(before['bootstrap_start_time']))).toBeGreaterThan(Date.now() - 60_000);
    // As if that had been long ago.
    const long = new Date(Date.now() - 3_601_000).toISOString();
    await writeFile(
      node.dir.join('agent', 'agent-data.json'),
      JSON.stringify({ ...before, bootstrap_start_time: long }),
    );
    const again = createAgent(node.config, { logger: node.log });
    await again.start();
    await node.until(['/new']);
    await again.stop();
  });

  it('begins anew at its start too, when its own SVID has gone', async () => {
    await using world = await replaced({ rebootstrap_mode: 'auto', rebootstrap_delay: '0s' });
    const { node } = world;
    await node.agent.stop();
    await writeFile(
      node.dir.join('agent', 'agent-data.json'),
      JSON.stringify({ ...(await world.data()), svid: [], reattestable: true }),
    );
    await world.trustNewServer();
    const again = createAgent(node.config, { logger: node.log });
    await again.start();
    await node.until(['/new']);
    await again.stop();
  });

  it('keeps to its old trust when it is not told otherwise', async () => {
    await using world = await replaced({});
    const { node } = world;
    await world.trustNewServer();
    const complaints = () =>
      node.log.messages('warn').filter((text) => text === 'Could not synchronise with the server');
    await waitFor(() => complaints().length > 2);
    expect(await node.paths()).toEqual(['/old']);
    expect(world.server.calls).toEqual([]);
    expect(node.agent.health.live).toBe(true);
  });

  it('does not take a server that is away, or refuses, for another one', async () => {
    await using node = await ScriptedNode.open(
      (server) => {
        server.reattestable = true;
        server.put({ id: 'a', path: '/old' });
      },
      undefined,
      { rebootstrap_mode: 'auto', rebootstrap_delay: '0s' },
    );
    await node.agent.start();
    await node.until(['/old']);
    node.server.refuse = () => GrpcError.of(Code.UNAVAILABLE, 'busy');
    await node.syncs(3);
    expect(node.log.messages('warn').filter((text) => /bootstrap/.test(text))).toEqual([]);
  });
});

it('insists on a node that can attest again, if it is told to', async () => {
  await using node = await ScriptedNode.open(() => {}, undefined, { rebootstrap_mode: 'auto' });
  await node.agent.start();
  expect(node.log.messages('warn')).toContain('Bootstrapping anew is switched off: this node cannot attest again');
});
