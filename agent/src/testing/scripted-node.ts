import { writeFile } from 'node:fs/promises';
import { credentials } from '@grpc/grpc-js';
import { Code, createClient, type GrpcError } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI, type X509SVIDResponse } from '@steeple/proto/workload';
import { toPem } from '@steeple/spiffe';
import { MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { type Agent, createAgent } from '../agent.ts';
import { type AgentConfig, agentConfigOf } from '../config.ts';
import { ScriptedServer } from './scripted-server.ts';

export const HEADER = { 'workload.spiffe.io': 'true' };

/** An agent with a server that does as a test says, and a workload's client of the agent. */
export class ScriptedNode implements AsyncDisposable {
  readonly dir: TempDir;
  readonly domain: TestTrustDomain;
  readonly server: ScriptedServer;
  readonly log = new MemoryLogger();
  readonly config: AgentConfig;
  readonly agent: Agent;
  readonly workload;

  static async open(
    prepare: (server: ScriptedServer) => void = () => {},
    serverPath?: string,
    settings: Record<string, unknown> = {},
  ): Promise<ScriptedNode> {
    const [dir, domain] = [await tempDir(), await TestTrustDomain.create('spire.test')];
    const server = await ScriptedServer.start(domain, serverPath);
    prepare(server);
    const [root] = domain.bundle.x509Authorities;
    await writeFile(dir.join('bundle.pem'), toPem('CERTIFICATE', root?.certificate.raw ?? new Uint8Array()));
    return new ScriptedNode(dir, domain, server, settings);
  }

  private constructor(
    dir: TempDir,
    domain: TestTrustDomain,
    server: ScriptedServer,
    settings: Record<string, unknown>,
  ) {
    this.dir = dir;
    this.domain = domain;
    this.server = server;
    this.config = agentConfigOf({
      agent: {
        trust_domain: 'spire.test',
        server_address: 'localhost',
        server_port: server.port,
        socket_path: dir.join('agent', 'api.sock'),
        data_dir: dir.join('agent'),
        trust_bundle_path: dir.join('bundle.pem'),
        join_token: 'scripted-token',
        experimental: { sync_interval: '100ms' },
        ...settings,
      },
    });
    this.agent = createAgent(this.config, { logger: this.log });
    this.workload = createClient(SpiffeWorkloadAPI, {
      address: `unix:${this.config.socketPath}`,
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
    while (JSON.stringify(await this.paths()) !== JSON.stringify(expected)) await shortly();
  }

  /** So many more questions about entries have been answered or refused. */
  async syncs(count: number): Promise<void> {
    const asked = () => this.server.count('SyncAuthorizedEntries') + this.server.count('GetAuthorizedEntries');
    for (const goal = asked() + count; asked() < goal; ) await shortly();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.workload.close();
    await this.agent.stop();
    await this.server[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

function pathsOf({ svids }: X509SVIDResponse): readonly string[] {
  return svids.map(({ spiffeId }) => new URL(spiffeId).pathname);
}

/** A little later; what is waited for is asked for again and again. */
export function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
