import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Agent, agentConfigOf, createAgent } from '@steeple/agent';
import { createLogger } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { createClient } from '@steeple/proto/grpc';
import { agentV1, entryV1 } from '@steeple/proto/server-api';
import { createServer, parseServerConfig, type Server } from '@steeple/server';
import type { MachineClock } from './simulated-time.ts';

const NAME = 'month.test';

/** A server and its agents in this process, each with the clock of its own machine; lifetimes are SPIRE's defaults. */
export class SimulatedTrustDomain implements AsyncDisposable {
  /** The last warnings and errors. */
  readonly log: string[] = [];
  readonly #logger = createLogger({ level: 'warn', write: (line) => this.#keep(line) });
  readonly #dir: string;
  readonly #serverClock: MachineClock;
  readonly #random: () => number;
  #server: Server | undefined;
  #port = 0;
  readonly #agents: Agent[] = [];
  readonly #agentPaths: string[] = [];

  private constructor(dir: string, serverClock: MachineClock, random: () => number) {
    this.#dir = dir;
    this.#serverClock = serverClock;
    this.#random = random;
  }

  static async open(serverClock: MachineClock, random: () => number): Promise<SimulatedTrustDomain> {
    const domain = new SimulatedTrustDomain(await mkdtemp('/tmp/st-month-'), serverClock, random);
    await domain.startServer();
    return domain;
  }

  async startServer(): Promise<void> {
    const config = parseServerConfig(
      configOf({
        server: {
          trust_domain: NAME,
          bind_address: '127.0.0.1',
          bind_port: this.#port,
          socket_path: this.#serverSocket,
          data_dir: join(this.#dir, 'server'),
        },
      }),
    );
    const logger = this.#logger.child({ process: 'server' });
    this.#server = createServer(config, { logger, clock: this.#serverClock });
    await this.#server.start();
    this.#port = this.#server.addresses.port;
  }

  async stopServer(): Promise<void> {
    await this.#server?.stop();
  }

  /** An agent on a machine of its own, and entries below it. Resolves with the address of its Workload API. */
  async addAgent(clock: MachineClock, paths: readonly string[]): Promise<string> {
    const token = await this.#admin(
      agentV1.Agent,
      async (agents) => (await agents.createJoinToken({ ttl: 600 })).value,
    );
    const dir = join(this.#dir, `agent-${this.#agents.length}`);
    const config = agentConfigOf({
      agent: {
        trust_domain: NAME,
        server_address: '127.0.0.1',
        server_port: this.#port,
        socket_path: join(dir, 'api.sock'),
        data_dir: dir,
        insecure_bootstrap: true,
        join_token: token,
        // Changes are announced; half a million polls in a month would only keep the processor warm.
        experimental: { sync_interval: '10m' },
      },
    });
    const agent = createAgent(config, {
      logger: this.#logger.child({ process: `agent ${this.#agents.length}` }),
      clock,
      random: this.#random,
    });
    this.#agents.push(agent);
    await agent.start();
    const path = `/spire/agent/join_token/${token}`;
    this.#agentPaths.push(path);
    await this.#addEntries(path, paths);
    return `unix:${join(dir, 'api.sock')}`;
  }

  /** An entry below each agent in turn. Resolves with their ids. */
  async addToEach(paths: readonly string[]): Promise<string[]> {
    const added = paths.map((path, index) => this.#addEntries(this.#agentPaths[index] ?? '', [path]));
    return (await Promise.all(added)).flat();
  }

  async remove(ids: readonly string[]): Promise<void> {
    const { results } = await this.#admin(entryV1.Entry, (entry) => entry.batchDeleteEntry({ ids: [...ids] }));
    requireAll(results);
  }

  async #addEntries(parent: string, paths: readonly string[]): Promise<string[]> {
    const entries = paths.map((path) => ({
      spiffeId: { trustDomain: NAME, path },
      parentId: { trustDomain: NAME, path: parent },
      selectors: [{ type: 'unix', value: `uid:${process.getuid?.() ?? 0}` }],
    }));
    const { results } = await this.#admin(entryV1.Entry, (entry) => entry.batchCreateEntry({ entries }));
    requireAll(results);
    return results.map(({ entry }) => entry?.id ?? '');
  }

  async #admin<S extends typeof agentV1.Agent | typeof entryV1.Entry, T>(
    service: S,
    work: (client: ReturnType<typeof createClient<S>>) => Promise<T>,
  ): Promise<T> {
    const client = createClient(service, {
      address: `unix:${this.#serverSocket}`,
      credentials: credentials.createInsecure(),
    });
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  #keep(line: string): void {
    this.log.push(line);
    if (this.log.length > 50) this.log.shift();
  }

  get #serverSocket(): string {
    return join(this.#dir, 'server', 'api.sock');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    await this.stopServer();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

function requireAll(
  results: readonly { readonly status?: { readonly code: number; readonly message: string } | undefined }[],
) {
  const refused = results.find(({ status }) => status?.code !== 0);
  if (refused !== undefined) throw new Error(`entry: ${refused.status?.message}`);
}
