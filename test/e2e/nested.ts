// One server of a nested trust domain in the test's own process, with two agents: one for the server below, one for
// workloads. The test is the workload.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Agent, agentConfigOf, createAgent } from '@steeple/agent';
import { JwtSource, parseCertificate, WorkloadBundleSource, X509Source } from '@steeple/client';
import { systemClock } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, localauthorityV1 } from '@steeple/proto/server-api';
import { createServer, parseServerConfig, type Server } from '@steeple/server';
import { MemoryLogger } from '@steeple/test-kit';
import { SELF } from './home.ts';

export const TRUST_DOMAIN = 'nested.test';

/** The machine's clock, but what happens now and then happens ten times as often. */
const quick = {
  ...systemClock,
  sleep: (s: number, signal?: AbortSignal) => systemClock.sleep(s / 10, signal),
  monotonic: () => systemClock.monotonic() * 10,
};

type Admin = {
  readonly agent: ServiceClient<typeof agentV1.Agent>;
  readonly bundle: ServiceClient<typeof bundleV1.Bundle>;
  readonly entry: ServiceClient<typeof entryV1.Entry>;
  readonly authority: ServiceClient<typeof localauthorityV1.LocalAuthority>;
};

export class Level implements AsyncDisposable {
  readonly name: string;
  readonly log = new MemoryLogger();
  readonly #dir: string;
  readonly #above: Level | undefined;
  readonly #agents: Agent[] = [];
  #port = 0;
  server!: Server;
  admin!: Admin;
  x509!: X509Source;
  jwt!: JwtSource;
  jwtBundles!: WorkloadBundleSource;

  /** Starts a server, below another if one is given, and its agents. */
  static async open(name: string, above?: Level): Promise<Level> {
    const level = new Level(name, await mkdtemp('/tmp/st-nest-'), above);
    try {
      await level.startServer();
      await level.#startAgent('gate', `/${name}-below`, { downstream: true });
      await level.#startAgent('node', `/${name}-workload`, {});
      const address = `unix:${level.#socket('node')}`;
      level.x509 = await X509Source.open({ address });
      level.jwt = await JwtSource.open({ address });
      level.jwtBundles = await WorkloadBundleSource.openJwt({ address });
    } catch (error) {
      await level[Symbol.asyncDispose]();
      throw new Error(`level ${name} did not start:\n${level.log.text}`, { cause: error });
    }
    return level;
  }

  private constructor(name: string, dir: string, above: Level | undefined) {
    this.name = name;
    this.#dir = dir;
    this.#above = above;
  }

  async startServer(): Promise<void> {
    const server = {
      trust_domain: TRUST_DOMAIN,
      bind_address: '127.0.0.1',
      bind_port: this.#port,
      socket_path: join(this.#dir, 'server', 'api.sock'),
      data_dir: join(this.#dir, 'server'),
      ratelimit: { attestation: false, signing: false },
      experimental: { feature_flags: ['wit-svid'] },
    };
    const config = parseServerConfig(configOf({ server, plugins: this.#above ? upstreamOf(this.#above) : {} }));
    this.server = createServer(config, { logger: this.log, clock: quick });
    await this.server.start();
    this.#port = this.server.addresses.port;
    const settings = { address: `unix:${config.socketPath}`, credentials: credentials.createInsecure() };
    this.admin = {
      agent: createClient(agentV1.Agent, settings),
      bundle: createClient(bundleV1.Bundle, settings),
      entry: createClient(entryV1.Entry, settings),
      authority: createClient(localauthorityV1.LocalAuthority, settings),
    };
  }

  async stopServer(): Promise<void> {
    for (const client of Object.values(this.admin ?? {})) client.close();
    await this.server?.stop();
  }

  get gateSocket(): string {
    return this.#socket('gate');
  }

  /** Subject key ids of the roots in this level's bundle; compromised ones with a mark. */
  async roots(): Promise<string[]> {
    const { x509Authorities } = await this.admin.bundle.getBundle({});
    return x509Authorities.map(({ asn1, tainted }) => `${parseCertificate(asn1).subjectKeyId}${tainted ? '!' : ''}`);
  }

  /** The ids of the keys of JWT-SVIDs, compromised ones with a mark. */
  async keyIds(): Promise<string[]> {
    const { jwtAuthorities } = await this.admin.bundle.getBundle({});
    return jwtAuthorities.map(({ keyId, tainted }) => `${keyId}${tainted ? '!' : ''}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.x509?.close();
    await this.jwt?.close();
    await this.jwtBundles?.close();
    for (const agent of this.#agents) await agent.stop();
    await this.stopServer();
    await rm(this.#dir, { recursive: true, force: true });
  }

  #socket(agent: string): string {
    return join(this.#dir, agent, 'api.sock');
  }

  /** An agent with one entry for this process. */
  async #startAgent(name: string, path: string, more: object): Promise<void> {
    const { value } = await this.admin.agent.createJoinToken({ ttl: 600 });
    const parentId = { trustDomain: TRUST_DOMAIN, path: `/spire/agent/join_token/${value}` };
    const agent = createAgent(
      agentConfigOf({
        agent: {
          trust_domain: TRUST_DOMAIN,
          server_address: '127.0.0.1',
          server_port: this.server.addresses.port,
          socket_path: this.#socket(name),
          data_dir: join(this.#dir, name),
          insecure_bootstrap: true,
          join_token: value,
        },
      }),
      { logger: this.log },
    );
    this.#agents.push(agent);
    await agent.start();
    const entry = { parentId, spiffeId: { trustDomain: TRUST_DOMAIN, path }, selectors: [...SELF], ...more };
    const { results } = await this.admin.entry.batchCreateEntry({ entries: [entry] });
    if (results[0]?.status?.code !== 0) throw new Error(`no entry: ${results[0]?.status?.message}`);
    await using source = await X509Source.open({ address: `unix:${this.#socket(name)}`, timeout: 20 });
    source.x509Svid();
  }
}

const upstreamOf = (above: Level): object => ({
  UpstreamAuthority: {
    spire: {
      plugin_data: {
        server_address: '127.0.0.1',
        server_port: above.server.addresses.port,
        workload_api_socket: above.gateSocket,
      },
    },
  },
});
