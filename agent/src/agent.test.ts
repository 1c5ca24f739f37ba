import { writeFile } from 'node:fs/promises';
import { credentials } from '@grpc/grpc-js';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI, type X509SVIDResponse } from '@steeple/proto/workload';
import { toPem } from '@steeple/spiffe';
import { MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import { agentConfigOf } from './config.ts';
import { agentRefusal, ScriptedServer } from './testing/scripted-server.ts';

const HEADER = { 'workload.spiffe.io': 'true' };

class Node implements AsyncDisposable {
  readonly dir: TempDir;
  readonly domain: TestTrustDomain;
  readonly server: ScriptedServer;
  readonly log = new MemoryLogger();
  readonly agent: Agent;
  readonly workload;

  static async open(prepare: (server: ScriptedServer) => void = () => {}, serverPath?: string): Promise<Node> {
    const [dir, domain] = [await tempDir(), await TestTrustDomain.create('spire.test')];
    const server = await ScriptedServer.start(domain, serverPath);
    prepare(server);
    const [root] = domain.bundle.x509Authorities;
    await writeFile(dir.join('bundle.pem'), toPem('CERTIFICATE', root?.certificate.raw ?? new Uint8Array()));
    return new Node(dir, domain, server);
  }

  private constructor(dir: TempDir, domain: TestTrustDomain, server: ScriptedServer) {
    this.dir = dir;
    this.domain = domain;
    this.server = server;
    const config = agentConfigOf({
      agent: {
        trust_domain: 'spire.test',
        server_address: 'localhost',
        server_port: server.port,
        socket_path: dir.join('agent', 'api.sock'),
        data_dir: dir.join('agent'),
        trust_bundle_path: dir.join('bundle.pem'),
        join_token: 'scripted-token',
        experimental: { sync_interval: '100ms' },
      },
    });
    this.agent = createAgent(config, { logger: this.log });
    this.workload = createClient(SpiffeWorkloadAPI, {
      address: `unix:${config.socketPath}`,
      credentials: credentials.createInsecure(),
    });
  }

  /** The paths of the identities that a new stream gives, or the status code. */
  async paths(): Promise<readonly string[] | number> {
    const abort = new AbortController();
    try {
      for await (const message of this.workload.fetchX509SVID({}, { metadata: HEADER, signal: abort.signal })) {
        return pathsOf(message);
      }
      return Code.OK;
    } catch (error) {
      return (error as GrpcError).code;
    } finally {
      abort.abort();
    }
  }

  async until(expected: readonly string[] | number): Promise<void> {
    while (JSON.stringify(await this.paths()) !== JSON.stringify(expected)) await turn();
  }

  /** So many more questions about entries have been answered or refused. */
  async syncs(count: number): Promise<void> {
    const asked = () => this.server.count('SyncAuthorizedEntries') + this.server.count('GetAuthorizedEntries');
    for (const goal = asked() + count; asked() < goal; ) await turn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.workload.close();
    await this.agent.stop();
    await this.server[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

describe('an agent of a server that announces nothing', () => {
  it('finds new, changed and removed entries by asking', async () => {
    await using node = await Node.open((server) => server.put({ id: 'a', path: '/a' }));
    await node.agent.start();
    await node.until(['/a']);
    node.server.put({ id: 'b', path: '/b' }, { id: 'a', path: '/renamed', revision: 1 });
    await node.until(['/renamed', '/b']);
    node.server.entries.clear();
    await node.until(Code.PERMISSION_DENIED);
    expect(node.log.messages('error')).toEqual([]);
  });

  it('fetches of a long list only what changed', async () => {
    const many = Array.from({ length: 5 }, (_, index) => ({ id: `e${index}`, path: `/e${index}` }));
    await using node = await Node.open((server) => {
      server.pageSize = 2;
      server.put(...many);
    });
    await node.agent.start();
    await node.until(many.map(({ path }) => path));
    expect(node.server.fetched).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
    node.server.put({ id: 'e3', path: '/other', revision: 1 });
    await node.until(['/e0', '/e1', '/e2', '/other', '/e4']);
    expect(node.server.fetched.slice(5)).toEqual(['e3']);
  });

  it('asks old servers for the whole list', async () => {
    await using node = await Node.open((server) => {
      server.put({ id: 'a', path: '/a' });
      server.refuse = (method) =>
        method === 'SyncAuthorizedEntries' ? GrpcError.of(Code.UNIMPLEMENTED, 'unknown method') : undefined;
    });
    await node.agent.start();
    await node.until(['/a']);
    expect(node.server.count('SyncAuthorizedEntries')).toBe(1);
  });

  it('takes nothing away for an error, or for a list that ends too early', async () => {
    const two = [
      { id: 'a', path: '/a' },
      { id: 'b', path: '/b' },
      { id: 'c', path: '/c' },
    ];
    await using node = await Node.open((server) => {
      server.pageSize = 1;
      server.put(...two);
    });
    await node.agent.start();
    await node.until(['/a', '/b', '/c']);
    node.server.cutShort = true;
    await node.syncs(2);
    expect(await node.paths()).toEqual(['/a', '/b', '/c']);
    node.server.refuse = () => GrpcError.of(Code.UNAVAILABLE, 'not ready');
    await node.syncs(2);
    expect(await node.paths()).toEqual(['/a', '/b', '/c']);
  });

  it('tells a bundle that the server has not from one that it lost', async () => {
    await using node = await Node.open((server) => server.put({ id: 'a', path: '/a', federatesWith: ['other.test'] }));
    const other = await TestTrustDomain.create('other.test');
    await node.agent.start();
    await node.until(['/a']);
    const bundles = async () => {
      const abort = new AbortController();
      for await (const { bundles } of node.workload.fetchX509Bundles({}, { metadata: HEADER, signal: abort.signal })) {
        abort.abort();
        return Object.keys(bundles).length;
      }
      return 0;
    };
    expect(await bundles()).toBe(1);
    node.server.federated.set('other.test', other);
    while ((await bundles()) !== 2) await turn();
    node.server.refuse = (method) =>
      method === 'GetFederatedBundle' ? GrpcError.of(Code.INTERNAL, 'a bad day') : undefined;
    await node.syncs(2);
    expect(await bundles()).toBe(2);
    node.server.refuse = () => undefined;
    node.server.federated.clear();
    while ((await bundles()) !== 1) await turn();
  });
});

describe('an agent and the SVIDs it is given', () => {
  it('serves the other identities when one cannot be issued, and that one when it can', async () => {
    await using node = await Node.open((server) => {
      server.put({ id: 'a', path: '/a' }, { id: 'b', path: '/b' });
      server.refuse = (method) => (method === 'item:a' ? GrpcError.of(Code.INTERNAL, 'no') : undefined);
    });
    await node.agent.start();
    await node.until(['/b']);
    node.server.refuse = () => undefined;
    await node.until(['/a', '/b']);
  });

  it('does not hand out what was issued for somebody else', async () => {
    await using node = await Node.open((server) => {
      server.put({ id: 'a', path: '/a' });
      server.issuedPath = () => '/admin';
    });
    await node.agent.start();
    await node.until(Code.UNAVAILABLE);
  });
});

describe('an agent and what the server thinks of it', () => {
  it.each(['AGENT_NOT_ATTESTED', 'AGENT_EXPIRED', 'AGENT_NOT_ACTIVE', 'AGENT_MUST_REATTEST'] as const)(
    'attests again in process when told %s, if the method allows it',
    async (reason) => {
      await using node = await Node.open((server) => {
        server.reattestable = true;
        server.put({ id: 'a', path: '/a' });
      });
      await node.agent.start();
      await node.until(['/a']);
      const attested = node.server.count('AttestAgent');
      node.server.refuse = (method) =>
        node.server.count('AttestAgent') === attested && method.endsWith('AuthorizedEntries')
          ? agentRefusal(reason)
          : undefined;
      while (node.server.count('AttestAgent') === attested) await turn();
      node.server.put({ id: 'b', path: '/b' });
      await node.until(['/a', '/b']);
      expect(node.agent.health.live).toBe(true);
    },
  );

  it('stops when it cannot attest again', async () => {
    await using node = await Node.open();
    await node.agent.start();
    node.server.refuse = () => agentRefusal('AGENT_NOT_ATTESTED');
    await expect(node.agent.wait()).rejects.toMatchObject({ reason: 'lost-identity' });
  });

  it('stops when it is banned, though it could attest again', async () => {
    await using node = await Node.open((server) => {
      server.reattestable = true;
    });
    await node.agent.start();
    node.server.refuse = () => agentRefusal('AGENT_BANNED');
    await expect(node.agent.wait()).rejects.toMatchObject({ reason: 'banned' });
  });

  it('treats a refusal without a reason as an ordinary error', async () => {
    await using node = await Node.open((server) => server.put({ id: 'a', path: '/a' }));
    await node.agent.start();
    await node.until(['/a']);
    node.server.refuse = () => GrpcError.of(Code.PERMISSION_DENIED, 'not today');
    await node.syncs(2);
    expect(node.agent.health.live).toBe(true);
    expect(await node.paths()).toEqual(['/a']);
  });

  it('does not show its token to a server with another SPIFFE ID', async () => {
    await using node = await Node.open(() => {}, '/spire/agent/impostor');
    const started = node.agent.start();
    while (!node.log.messages('warn').includes('Could not attest')) await turn();
    await node.agent.stop();
    await started;
    expect(node.server.calls).toEqual([]);
  });

  it('gives up at once when the server refuses the attestation for good', async () => {
    await using node = await Node.open((server) => {
      server.refuse = () => GrpcError.of(Code.INVALID_ARGUMENT, 'join token expired');
    });
    await expect(node.agent.start()).rejects.toThrow(/join token expired.*steeple token generate/);
    expect(node.server.count('AttestAgent')).toBe(1);
  });
});

function pathsOf({ svids }: X509SVIDResponse): readonly string[] {
  return svids.map(({ spiffeId }) => new URL(spiffeId).pathname);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
