// A server process, ours or SPIRE's, with the same file of settings, and its API on the admin socket.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { TrustDomain, toPem } from '@steeple/client';
import type { types } from '@steeple/proto/server-api';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import type { Process } from '../../stack/process.ts';
import { daemon, type Maker } from './maker.ts';
import { NodeAuthority } from './node-certificates.ts';
import { type ServerApi, serverApi } from './server-api.ts';
import { serving } from './serving.ts';
import type { Site } from './site.ts';
import { type Block, hcl, type Plugins, pluginsHcl } from './write-hcl.ts';

export interface ServerOptions {
  readonly trustDomain?: string;
  /** More settings of the `server` block. */
  readonly settings?: Block;
  /** More plugins, or others of the same kind. */
  readonly plugins?: Plugins;
  /** Blocks beside `server` and `plugins`. */
  readonly blocks?: Block;
  readonly port?: number;
  /** More of the process' environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where another server kept its node certificates, to go on with them. */
  readonly nodes?: NodeAuthority;
}

export type NewEntry = Omit<MessageInitShape<typeof types.EntrySchema>, '$typeName'>;

/** `spiffe://td/path` in the form of the API. */
export function wireId(id: string): { trustDomain: string; path: string } {
  const [, trustDomain = '', path = ''] = /^spiffe:\/\/([^/]+)(.*)$/.exec(id) ?? [];
  return { trustDomain, path };
}

export class ServerUnit {
  readonly maker: Maker;
  readonly dir: string;
  readonly trustDomain: TrustDomain;
  readonly port: number;
  readonly adminSocket: string;
  readonly nodes: NodeAuthority;
  readonly #site: Site;
  readonly #options: ServerOptions;
  process!: Process;
  api!: ServerApi;

  private constructor(site: Site, maker: Maker, options: ServerOptions, port: number, nodes: NodeAuthority) {
    this.#site = site;
    this.maker = maker;
    this.#options = options;
    this.port = port;
    this.nodes = nodes;
    this.dir = site.folder('server');
    this.trustDomain = TrustDomain.parse(options.trustDomain ?? 'domain.test');
    this.adminSocket = join(this.dir, 'api.sock');
  }

  static async configure(site: Site, maker: Maker, options: ServerOptions = {}): Promise<ServerUnit> {
    const nodes = options.nodes ?? (await NodeAuthority.create(site.folder('nodes')));
    const unit = new ServerUnit(site, maker, options, options.port ?? (await freePort()), nodes);
    await mkdir(unit.dir, { recursive: true });
    await unit.writeConfig();
    return unit;
  }

  id(path: string): string {
    return `spiffe://${this.trustDomain.name}${path}`;
  }

  get config(): string {
    return join(this.dir, 'server.conf');
  }

  async writeConfig(settings: Block = {}, plugins: Plugins = {}): Promise<void> {
    const server: Block = {
      trust_domain: this.trustDomain.name,
      bind_address: '127.0.0.1',
      bind_port: this.port,
      socket_path: this.adminSocket,
      data_dir: this.dir,
      log_level: 'DEBUG',
      ratelimit: { attestation: false, signing: false },
      ...this.#options.settings,
      ...settings,
    };
    const all: Plugins = {
      DataStore: {
        sql: { database_type: 'sqlite3', connection_string: join(this.dir, 'datastore.sqlite3') },
      },
      KeyManager: { disk: { keys_path: join(this.dir, 'keys.json') } },
      NodeAttestor: { join_token: {}, x509pop: { ca_bundle_path: this.nodes.path } },
      ...this.#options.plugins,
      ...plugins,
    };
    await writeFile(
      this.config,
      `server {\n${hcl(server, '  ')}}\n${hcl(this.#options.blocks ?? {})}${pluginsHcl(all)}`,
    );
  }

  async start(): Promise<void> {
    const command = await daemon(this.maker, 'server', this.config);
    this.process = this.#site.start(`${this.maker}-server`, command, { ...process.env, ...this.#options.env });
    await serving(this.process, this.adminSocket);
    const settings = {
      address: `unix:${this.adminSocket}`,
      credentials: credentials.createInsecure(),
      options: { 'grpc.use_local_subchannel_pool': 1 },
    };
    const api = serverApi(settings);
    this.#site.defer(() => api.close());
    this.api = api;
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process.stop(signal);
    await this.start();
  }

  async bundlePem(): Promise<string> {
    const { x509Authorities } = await this.api.bundle.getBundle({}, { deadline: 10 });
    return x509Authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1)).join('');
  }

  async joinToken(id?: string, ttl = 600): Promise<string> {
    const agentId = id === undefined ? {} : { agentId: wireId(id) };
    return (await this.api.agent.createJoinToken({ ttl, ...agentId }, { deadline: 10 })).value;
  }

  /** Creates an entry and returns it as the server answers it. */
  async createEntry(
    id: string,
    parent: string,
    selectors: readonly string[],
    more: NewEntry = {},
  ): Promise<types.Entry> {
    const entry = { spiffeId: wireId(id), parentId: wireId(parent), selectors: selectors.map(wireSelector), ...more };
    const { results } = await this.api.entry.batchCreateEntry({ entries: [entry] }, { deadline: 20 });
    const [result] = results;
    if (result?.status?.code !== 0 || result.entry === undefined) {
      throw new Error(`the server refused the entry ${id}: ${result?.status?.code} ${result?.status?.message}`);
    }
    return result.entry;
  }

  async deleteEntry(id: string): Promise<void> {
    const { results } = await this.api.entry.batchDeleteEntry({ ids: [id] }, { deadline: 20 });
    if (results[0]?.status?.code !== 0) throw new Error(`entry ${id}: ${results[0]?.status?.message}`);
  }

  async agentIds(): Promise<string[]> {
    const { agents } = await this.api.agent.listAgents({}, { deadline: 10 });
    return agents.map(({ id }) => `spiffe://${id?.trustDomain}${id?.path}`).sort();
  }
}

export function wireSelector(text: string): { type: string; value: string } {
  const colon = text.indexOf(':');
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}
