// Server and agent in the test's own process, on real sockets, in a folder of their own. The test is the workload.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Agent, agentConfigOf, createAgent } from '@steeple/agent';
import { TrustDomain } from '@steeple/client';
import { configOf } from '@steeple/daemon/config';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, localauthorityV1, trustdomainV1 } from '@steeple/proto/server-api';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { createServer, parseServerConfig, type Server } from '@steeple/server';
import { MemoryLogger } from '@steeple/test-kit';

export interface HomeOptions {
  /** More settings of the `server` block. */
  readonly server?: Record<string, unknown>;
  /** More settings of the `agent` block. */
  readonly agent?: Record<string, unknown>;
  /** More blocks of the server's configuration, such as `plugins`. */
  readonly serverBlocks?: Record<string, unknown>;
  /** More blocks of the agent's configuration, such as `plugins`. */
  readonly blocks?: Record<string, unknown>;
  readonly trustDomain?: string;
  /** PEM certificates of the authorities that vouch for web servers. */
  readonly webRoots?: () => readonly string[];
  /** False for an agent that attests by other means. */
  readonly joinToken?: boolean;
}

export interface NewEntry {
  readonly path: string;
  readonly id?: string;
  readonly selectors?: readonly { type: string; value: string }[];
  readonly ttl?: number;
  readonly hint?: string;
  readonly more?: Record<string, unknown>;
}

/** Whom the tests run as. */
export const SELF = [{ type: 'unix', value: `uid:${process.getuid?.() ?? 0}` }];
export const HEADER = { 'workload.spiffe.io': 'true' };

type Clients = {
  readonly agent: ServiceClient<typeof agentV1.Agent>;
  readonly bundle: ServiceClient<typeof bundleV1.Bundle>;
  readonly entry: ServiceClient<typeof entryV1.Entry>;
  readonly authority: ServiceClient<typeof localauthorityV1.LocalAuthority>;
  readonly federation: ServiceClient<typeof trustdomainV1.TrustDomain>;
};

export class Home implements AsyncDisposable {
  readonly dir: string;
  readonly trustDomain: TrustDomain;
  readonly log = new MemoryLogger();
  readonly #options: HomeOptions;
  server!: Server;
  agent!: Agent;
  admin!: Clients;
  workload!: ServiceClient<typeof SpiffeWorkloadAPI>;
  agentId!: { trustDomain: string; path: string };
  #port = 0;

  private constructor(dir: string, options: HomeOptions) {
    this.dir = dir;
    this.#options = options;
    this.trustDomain = TrustDomain.parse(options.trustDomain ?? 'home.test');
  }

  static async open(options: HomeOptions = {}): Promise<Home> {
    const home = new Home(await mkdtemp('/tmp/st-e2e-'), options);
    try {
      await home.startServer();
      await home.startAgent(options.joinToken === false ? undefined : await home.joinToken());
    } catch (error) {
      await home[Symbol.asyncDispose]();
      throw new Error(`home did not start:\n${home.log.text}`, { cause: error });
    }
    return home;
  }

  get socket(): string {
    return join(this.dir, 'agent', 'api.sock');
  }

  async startServer(): Promise<void> {
    const config = parseServerConfig(
      configOf({
        server: {
          trust_domain: this.trustDomain.name,
          bind_address: '127.0.0.1',
          bind_port: this.#port,
          socket_path: join(this.dir, 'server', 'api.sock'),
          data_dir: join(this.dir, 'server'),
          ratelimit: { attestation: false, signing: false },
          ...this.#options.server,
        },
        ...this.#options.serverBlocks,
      }),
    );
    const { webRoots } = this.#options;
    this.server = createServer(config, {
      logger: this.log.child({ process: 'server' }),
      ...(webRoots && { webRoots }),
    });
    await this.server.start();
    this.#port = this.server.addresses.port;
    const settings = { address: `unix:${config.socketPath}`, credentials: credentials.createInsecure() };
    this.admin = {
      agent: createClient(agentV1.Agent, settings),
      bundle: createClient(bundleV1.Bundle, settings),
      entry: createClient(entryV1.Entry, settings),
      authority: createClient(localauthorityV1.LocalAuthority, settings),
      federation: createClient(trustdomainV1.TrustDomain, settings),
    };
  }

  async stopServer(): Promise<void> {
    for (const client of Object.values(this.admin ?? {})) client.close();
    await this.server?.stop();
  }

  async joinToken(): Promise<string> {
    const { value } = await this.admin.agent.createJoinToken({ ttl: 600 });
    this.agentId = { trustDomain: this.trustDomain.name, path: `/spire/agent/join_token/${value}` };
    return value;
  }

  agentConfig(token?: string, more: Record<string, unknown> = {}): ReturnType<typeof agentConfigOf> {
    return agentConfigOf({
      agent: {
        trust_domain: this.trustDomain.name,
        server_address: '127.0.0.1',
        server_port: this.#port,
        socket_path: this.socket,
        data_dir: join(this.dir, 'agent'),
        insecure_bootstrap: true,
        ...(token === undefined ? {} : { join_token: token }),
        ...this.#options.agent,
        ...more,
      },
      ...this.#options.blocks,
    });
  }

  /** Loses everything that the stopped agent kept. */
  async forgetAgent(): Promise<void> {
    await rm(join(this.dir, 'agent'), { recursive: true, force: true });
  }

  async startAgent(token?: string): Promise<void> {
    this.agent = createAgent(this.agentConfig(token), { logger: this.log.child({ process: 'agent' }) });
    await this.agent.start();
    this.workload?.close();
    this.workload = createClient(SpiffeWorkloadAPI, {
      address: `unix:${this.socket}`,
      credentials: credentials.createInsecure(),
      options: { 'grpc.use_local_subchannel_pool': 1 },
    });
  }

  async ready(): Promise<void> {
    await until(() => this.agent.health.ready);
  }

  async addEntry({ path, id, selectors = SELF, ttl, hint, more }: NewEntry): Promise<string> {
    const { results } = await this.admin.entry.batchCreateEntry({
      entries: [
        {
          ...(id === undefined ? {} : { id }),
          spiffeId: { trustDomain: this.trustDomain.name, path },
          parentId: this.agentId,
          selectors: [...selectors],
          ...(ttl === undefined ? {} : { x509SvidTtl: ttl }),
          ...(hint === undefined ? {} : { hint }),
          ...more,
        },
      ],
    });
    const [result] = results;
    if (result?.status?.code !== 0 || result.entry === undefined) throw new Error(`entry: ${result?.status?.message}`);
    return result.entry.id;
  }

  async removeEntry(id: string): Promise<void> {
    const { results } = await this.admin.entry.batchDeleteEntry({ ids: [id] });
    if (results[0]?.status?.code !== 0) throw new Error(`entry: ${results[0]?.status?.message}`);
  }

  id(path: string): string {
    return `spiffe://${this.trustDomain.name}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.workload?.close();
    await this.agent?.stop();
    await this.stopServer();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Waits until it is so; the test's own limit is the only one. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Reads a stream one message at a time; the error that ends it is returned, not thrown. */
export class Reader<T> implements Disposable {
  readonly #abort = new AbortController();
  readonly #messages: AsyncIterator<T>;

  constructor(open: (options: { metadata: Record<string, string>; signal: AbortSignal }) => AsyncIterable<T>) {
    this.#messages = open({ metadata: HEADER, signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  async next(): Promise<T> {
    const { done, value } = await this.#messages.next();
    if (done === true) throw new Error('the stream ended with OK');
    return value;
  }

  /** Skips messages until one fits. */
  async find(fits: (message: T) => boolean): Promise<T> {
    for (;;) {
      const message = await this.next();
      if (fits(message)) return message;
    }
  }

  async end(): Promise<unknown> {
    try {
      for (;;) await this.next();
    } catch (error) {
      return error;
    }
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }
}
