// An agent process, ours or SPIRE's, with the same file of settings, and the Workload API as this process sees it.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkloadApiClient } from '@steeple/client';
import type { Process } from '../../stack/process.ts';
import { type AgentAdminApi, agentAdminApi } from './agent-admin-api.ts';
import { daemon, type Maker } from './maker.ts';
import type { NodeCertificate } from './node-certificates.ts';
import type { ServerUnit } from './server-unit.ts';
import { serving } from './serving.ts';
import type { Site } from './site.ts';
import { type Block, hcl, type Plugins, pluginsHcl } from './write-hcl.ts';

export interface AgentOptions {
  readonly settings?: Block;
  readonly plugins?: Plugins;
  /** Attests with this token instead of a certificate. */
  readonly joinToken?: string;
  /** The node's certificate; by default a new one. */
  readonly node?: NodeCertificate;
  /** Serves the admin socket too. */
  readonly admin?: boolean;
  /** More of the process' environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Goes on with the data of another agent. */
  readonly dir?: string;
}

export class AgentUnit {
  readonly maker: Maker;
  readonly server: ServerUnit;
  readonly dir: string;
  readonly id: string;
  readonly node: NodeCertificate | undefined;
  readonly #site: Site;
  readonly #options: AgentOptions;
  process!: Process;
  workload!: WorkloadApiClient;
  /** On the admin socket, if it is served. */
  admin!: AgentAdminApi;

  private constructor(site: Site, maker: Maker, server: ServerUnit, options: AgentOptions, node?: NodeCertificate) {
    this.#site = site;
    this.maker = maker;
    this.server = server;
    this.#options = options;
    this.node = node;
    this.dir = options.dir ?? site.folder('agent');
    const path = node === undefined ? `join_token/${options.joinToken}` : `x509pop/${node.fingerprint}`;
    this.id = server.id(`/spire/agent/${path}`);
  }

  static async configure(site: Site, maker: Maker, server: ServerUnit, options: AgentOptions = {}): Promise<AgentUnit> {
    const node = options.joinToken === undefined ? (options.node ?? (await server.nodes.issue())) : undefined;
    const unit = new AgentUnit(site, maker, server, options, node);
    for (const folder of ['run', 'admin', 'data']) await mkdir(join(unit.dir, folder), { recursive: true });
    await unit.writeConfig();
    return unit;
  }

  /** How this agent attests; another one can say the same. */
  get proof(): Pick<AgentOptions, 'joinToken' | 'node'> {
    const { joinToken } = this.#options;
    return joinToken === undefined ? (this.node === undefined ? {} : { node: this.node }) : { joinToken };
  }

  get socket(): string {
    return join(this.dir, 'run', 'api.sock');
  }

  /** Served if `admin_socket_path` names it. */
  get adminSocket(): string {
    return join(this.dir, 'admin', 'api.sock');
  }

  get dataDir(): string {
    return join(this.dir, 'data');
  }

  get config(): string {
    return join(this.dir, 'agent.conf');
  }

  /** With more settings, and without some. */
  async writeConfig(settings: Block = {}, without: readonly string[] = []): Promise<void> {
    await writeFile(join(this.dir, 'bundle.pem'), await this.server.bundlePem());
    const agent: Block = {
      trust_domain: this.server.trustDomain.name,
      server_address: '127.0.0.1',
      server_port: this.server.port,
      socket_path: this.socket,
      data_dir: this.dataDir,
      log_level: 'DEBUG',
      trust_bundle_path: join(this.dir, 'bundle.pem'),
      ...(this.#options.joinToken === undefined ? {} : { join_token: this.#options.joinToken }),
      ...(this.#options.admin === true ? { admin_socket_path: this.adminSocket } : {}),
      experimental: { sync_interval: '1s' },
      ...this.#options.settings,
      ...settings,
    };
    const plugins: Plugins = {
      NodeAttestor:
        this.node === undefined
          ? { join_token: {} }
          : { x509pop: { certificate_path: this.node.certificatePath, private_key_path: this.node.keyPath } },
      KeyManager: { disk: { directory: this.dataDir } },
      WorkloadAttestor: { unix: {} },
      ...this.#options.plugins,
    };
    const kept = Object.fromEntries(Object.entries(agent).filter(([name]) => !without.includes(name)));
    await writeFile(this.config, `agent {\n${hcl(kept, '  ')}}\n${pluginsHcl(plugins)}`);
  }

  /** Starts the process without waiting for anything. */
  async launch(): Promise<Process> {
    const env = { ...process.env, ...this.#options.env };
    this.process = this.#site.start(`${this.maker}-agent`, await daemon(this.maker, 'agent', this.config), env);
    return this.process;
  }

  /** Starts the process and waits until it serves. */
  async start(): Promise<void> {
    const socket = this.#options.settings?.['socket_path'];
    await serving(await this.launch(), typeof socket === 'string' ? socket : this.socket);
    await this.workload?.close();
    const workload = new WorkloadApiClient({ address: `unix://${this.socket}` });
    this.#site.defer(() => workload.close());
    this.workload = workload;
    this.admin?.close();
    const admin = agentAdminApi(this.adminSocket);
    this.#site.defer(() => admin.close());
    this.admin = admin;
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process.stop(signal);
    await this.start();
  }
}
