// A whole Steeple for tests: server and agent as real processes started by the command line, in a folder of their own.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';
import { freePort } from '../../cli/src/dev/free-port.ts';
import { type Finished, Process, run } from './process.ts';

const root = new URL('../../', import.meta.url).pathname;
const steeple = join(root, 'cli/src/bin/steeple.ts');
const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];

export interface StackOptions {
  readonly trustDomain?: string;
  /** Lines for the `server` block of the server's configuration. */
  readonly server?: Record<string, unknown>;
  /** Lines for the `agent` block of the agent's configuration. */
  readonly agent?: Record<string, unknown>;
  /** Lines for the plugin data of the unix workload attestor. */
  readonly unix?: Record<string, unknown>;
  /** Where the Workload API socket goes; by default in the stack's folder. */
  readonly workloadSocket?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface EntryOptions {
  readonly id: string;
  readonly selectors: readonly string[];
  readonly flags?: readonly string[];
}

export class Stack {
  readonly dir: string;
  readonly port: number;
  readonly trustDomain: string;
  readonly adminSocket: string;
  readonly workloadSocket: string;
  server!: Process;
  agent!: Process;
  readonly #options: StackOptions;

  private constructor(dir: string, port: number, options: StackOptions) {
    this.dir = dir;
    this.port = port;
    this.#options = options;
    this.trustDomain = options.trustDomain ?? 'example.org';
    this.adminSocket = join(dir, 'server', 'api.sock');
    this.workloadSocket = options.workloadSocket ?? join(dir, 'agent', 'api.sock');
  }

  /** Starts server and agent, joined by a token, and waits until the agent serves. */
  static async start(options: StackOptions = {}): Promise<Stack> {
    const stack = new Stack(await mkdtemp(join(tmpdir(), 'steeple-')), await freePort(), options);
    try {
      await stack.#configure();
      await stack.startServer();
      await stack.startAgent(await stack.joinToken());
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /** The SPIFFE ID of the agent; entries of the stack are created below it. */
  get agentId(): string {
    return this.#agentId;
  }
  #agentId = '';

  async agentList(): Promise<string[]> {
    const { agents } = await this.json<{ agents: { id: { trust_domain: string; path: string } }[] }>(['agent', 'list']);
    return agents.map(({ id }) => `spiffe://${id.trust_domain}${id.path}`);
  }

  async startServer(): Promise<void> {
    this.server = this.spawn('server', ['server', 'run', '--config', join(this.dir, 'server.json')]);
    await this.#serving('server', this.adminSocket);
  }

  async startAgent(token?: string): Promise<void> {
    const joining = token === undefined ? [] : ['--join-token', token];
    this.agent = this.spawn('agent', ['agent', 'run', '--config', join(this.dir, 'agent.json'), ...joining]);
    await this.#serving('agent', this.workloadSocket);
    this.#agentId = (await this.agentList())[0] ?? '';
  }

  async joinToken(): Promise<string> {
    const bundle = await this.cli(['bundle', 'show', '--format', 'pem']);
    await writeFile(join(this.dir, 'bundle.pem'), bundle);
    const { value } = await this.json<{ value: string }>(['token', 'generate']);
    return value;
  }

  /** Creates an entry below the agent and returns its id. */
  async createEntry(entry: EntryOptions): Promise<string> {
    const selectors = entry.selectors.flatMap((selector) => ['--selector', selector]);
    const args = [
      'entry',
      'create',
      '--spiffe-id',
      entry.id,
      '--parent-id',
      this.#agentId,
      ...selectors,
      ...(entry.flags ?? []),
    ];
    const { results } = await this.json<{ results: { entry: { id: string } }[] }>(args);
    const id = results[0]?.entry.id;
    if (id === undefined) throw new Error('the server returned no entry');
    return id;
  }

  /** Runs an administrative command with JSON output. */
  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.cli([...args, '-o', 'json'])) as T;
  }

  /** Runs an administrative command; fails unless it exits with 0. */
  async cli(args: readonly string[]): Promise<string> {
    const done = await this.try([...args, '--socket', this.adminSocket]);
    if (done.code !== 0) throw new Error(`steeple ${args.join(' ')} exited with ${done.code}:\n${done.output}`);
    return done.output;
  }

  /** Runs any command of ours to its end, whatever the exit code. */
  try(args: readonly string[]): Promise<Finished> {
    return run(process.execPath, [...nodeFlags, steeple, ...args], { env: { ...process.env, ...this.#options.env } });
  }

  spawn(name: string, args: readonly string[]): Process {
    return new Process(name, process.execPath, [...nodeFlags, steeple, ...args], {
      env: { ...process.env, ...this.#options.env },
    });
  }

  /** Waits until the process answers a health check on its socket. */
  async #serving(name: 'server' | 'agent', socket: string, seconds = 30): Promise<void> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      if (!this[name].running) throw new Error(`${name} did not start:\n${this[name].tail()}`);
      if (await isServing(socket)) return;
      if (Date.now() > end) throw new Error(`${name} is not healthy after ${seconds} s:\n${this[name].tail()}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async stop(): Promise<void> {
    await this.agent?.stop();
    await this.server?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #configure(): Promise<void> {
    const server = {
      server: {
        trust_domain: this.trustDomain,
        bind_address: '127.0.0.1',
        bind_port: this.port,
        socket_path: this.adminSocket,
        data_dir: join(this.dir, 'server'),
        ratelimit: { attestation: false, signing: false },
        ...this.#options.server,
      },
    };
    const agent = {
      agent: {
        trust_domain: this.trustDomain,
        server_address: '127.0.0.1',
        server_port: this.port,
        socket_path: this.workloadSocket,
        data_dir: join(this.dir, 'agent'),
        trust_bundle_path: join(this.dir, 'bundle.pem'),
        ...this.#options.agent,
      },
      plugins: {
        NodeAttestor: { join_token: { plugin_data: {} } },
        KeyManager: { disk: { plugin_data: { directory: join(this.dir, 'agent') } } },
        WorkloadAttestor: { unix: { plugin_data: { discover_workload_path: true, ...this.#options.unix } } },
      },
    };
    await writeFile(join(this.dir, 'server.json'), JSON.stringify(server, null, 2));
    await writeFile(join(this.dir, 'agent.json'), JSON.stringify(agent, null, 2));
  }
}

async function isServing(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return false;
  const client = createClient(healthV1.Health, {
    address: `unix:${socket}`,
    credentials: credentials.createInsecure(),
  });
  try {
    const { status } = await client.check({}, { metadata: { 'workload.spiffe.io': 'true' }, deadline: 2 });
    return status === healthV1.HealthCheckResponse_ServingStatus.SERVING;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
