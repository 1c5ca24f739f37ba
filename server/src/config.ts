import { join, resolve } from 'node:path';
import { LIFETIMES } from '@steeple/core';
import {
  ConfigError,
  type ConfigProblem,
  defaultDataDir,
  defaultSocket,
  type LogFormat,
  type LogLevel,
} from '@steeple/daemon';
import {
  type ConfigDocument,
  checkConfig,
  checkSocketPath,
  type Environment,
  problemAt,
  readPluginData,
} from '@steeple/daemon/config';
import type { HealthCheckSettings } from '@steeple/daemon/health';
import type { TelemetrySettings } from '@steeple/daemon/metrics';
import type { KeyType, NameAttributes, SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { AgentPruningSettings } from './app/agent-pruning.ts';
import { type PluginBlocks, type ServerConfigFile, serverConfigSchema } from './config-schema.ts';
import { type FederationConfig, federationConfig } from './federation-config.ts';
import { type KubernetesConfig, kubernetesConfig } from './kubernetes-config.ts';

/** One plugin as configured; `data` is judged by the plugin's own schema. */
export interface PluginChoice {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Everything a server is told. Durations are seconds, paths absolute. */
export interface ServerConfig {
  readonly trustDomain: TrustDomain;
  readonly bindAddress: string;
  readonly bindPort: number;
  readonly socketPath: string;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
  /** Ranges of addresses whose PROXY headers are believed; undefined: nobody's. */
  readonly trustedProxies: readonly string[] | undefined;
  /** Refuse connections without a post-quantum key exchange. */
  readonly requirePqKem: boolean;
  readonly caTtl: number;
  readonly keyTypes: Readonly<Record<'x509' | 'jwt' | 'wit', KeyType>>;
  readonly caSubject: NameAttributes;
  readonly x509SvidTtl: number;
  readonly jwtSvidTtl: number;
  readonly agentTtl: number;
  readonly agentIdAsSelector: boolean;
  /** Undefined: agents are remembered until they are evicted. */
  readonly agentPruning: AgentPruningSettings | undefined;
  readonly jwtEnabled: boolean;
  readonly jwtIssuer: string | undefined;
  readonly witEnabled: boolean;
  readonly witIssuer: string | undefined;
  readonly adminIds: readonly SpiffeId[];
  readonly rateLimit: { readonly attestation: boolean; readonly signing: boolean };
  readonly auditLog: boolean;
  readonly federation: FederationConfig;
  readonly healthChecks: HealthCheckSettings | undefined;
  readonly telemetry: TelemetrySettings | undefined;
  /** Undefined: no cluster. */
  readonly kubernetes: KubernetesConfig | undefined;
  readonly plugins: {
    readonly datastore: PluginChoice;
    readonly keyManager: PluginChoice;
    /** Undefined: this server makes its own roots. */
    readonly upstreamAuthority: PluginChoice | undefined;
    readonly nodeVerifiers: readonly PluginChoice[];
    readonly bundlePublishers: readonly PluginChoice[];
    /** SPIRE's older kind for the same purpose. */
    readonly notifiers: readonly PluginChoice[];
  };
}

/**
 * The configuration of a server from a document with SPIRE's keys. `env` gives the default folders.
 *
 * @throws {ConfigError} with every problem and its place
 */
export const parseServerConfig = (document: ConfigDocument, env: Environment = process.env): ServerConfig => {
  const file = checkConfig(serverConfigSchema, document);
  const { server } = file;
  const dataDir = resolve(server.data_dir ?? defaultDataDir('server', env));
  const x509SvidTtl = server.default_x509_svid_ttl ?? LIFETIMES.x509Svid;
  return Object.freeze({
    trustDomain: server.trust_domain,
    bindAddress: server.bind_address,
    bindPort: server.bind_port,
    socketPath: checkSocketPath(
      document,
      ['server', 'socket_path'],
      resolve(server.socket_path ?? defaultSocket('server', env)),
    ),
    dataDir,
    logLevel: server.log_level,
    logFormat: server.log_format,
    logFile: server.log_file === undefined ? undefined : resolve(server.log_file),
    requirePqKem: server.experimental?.require_pq_kem ?? false,
    trustedProxies: server.proxy_protocol_trusted_cidrs.length > 0 ? server.proxy_protocol_trusted_cidrs : undefined,
    caTtl: server.ca_ttl ?? LIFETIMES.authority,
    keyTypes: {
      x509: server.ca_key_type,
      jwt: server.jwt_key_type ?? server.ca_key_type,
      wit: server.experimental?.wit_key_type ?? server.ca_key_type,
    },
    caSubject: caSubject(server.ca_subject),
    x509SvidTtl,
    jwtSvidTtl: server.default_jwt_svid_ttl ?? LIFETIMES.jwtSvid,
    agentTtl: server.agent_ttl ?? x509SvidTtl,
    agentIdAsSelector: server.experimental?.agent_spiffe_id_as_selector ?? false,
    agentPruning: agentPruning(server),
    jwtEnabled: !server.disable_jwt_svids,
    jwtIssuer: server.jwt_issuer,
    witEnabled: server.experimental?.feature_flags.includes('wit-svid') ?? false,
    witIssuer: server.experimental?.wit_issuer,
    adminIds: server.admin_ids,
    rateLimit: { attestation: true, signing: true, ...server.ratelimit },
    auditLog: server.audit_log_enabled,
    federation: federationConfig(server.federation, server.trust_domain, document),
    healthChecks: file.health_checks,
    telemetry: file.telemetry,
    kubernetes: kubernetesConfig(file.kubernetes, server.trust_domain),
    plugins: choosePlugins(file.plugins, dataDir, document),
  });
};

const agentPruning = (server: ServerConfigFile['server']): AgentPruningSettings | undefined => {
  const expiredFor = server.prune_attested_nodes_expired_for;
  if (expiredFor === undefined) return undefined;
  return {
    expiredFor,
    batchSize: server.prune_attested_nodes_batch_size || PRUNED_AT_ONCE,
    tofu: server.prune_tofu_nodes,
  };
};

/** Agents that one round forgets at most, as with SPIRE. */
const PRUNED_AT_ONCE = 1000;

const caSubject = (given: ServerConfigFile['server']['ca_subject']): NameAttributes => {
  if (!given) return { country: ['US'], organization: ['SPIFFE'] };
  const { country, organization, common_name: commonName } = given;
  return { country, organization, ...(commonName !== '' && { commonName }) };
};

/** Without plugins a server works all the same: SQLite and a keys file in the data directory, and join tokens. */
const choosePlugins = (
  file: ServerConfigFile['plugins'],
  dataDir: string,
  document: ConfigDocument,
): ServerConfig['plugins'] => {
  const datastore = enabled(file?.DataStore, 'DataStore');
  const keyManager = enabled(file?.KeyManager, 'KeyManager');
  const nodeVerifiers = enabled(file?.NodeAttestor, 'NodeAttestor');
  const upstreamAuthority = enabled(file?.UpstreamAuthority, 'UpstreamAuthority');
  const problems = [
    ...atMostOne('DataStore', datastore, document),
    ...atMostOne('KeyManager', keyManager, document),
    ...atMostOne('UpstreamAuthority', upstreamAuthority, document),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  const withTokens = nodeVerifiers.some(({ name }) => name === 'join_token');
  return {
    datastore: datastore[0] ?? {
      name: 'sql',
      data: { database_type: 'sqlite3', connection_string: join(dataDir, 'datastore.sqlite3') },
    },
    keyManager: keyManager[0] ?? { name: 'disk', data: { keys_path: join(dataDir, 'keys.json') } },
    upstreamAuthority: upstreamAuthority[0],
    nodeVerifiers: withTokens ? nodeVerifiers : [{ name: 'join_token', data: {} }, ...nodeVerifiers],
    bundlePublishers: enabled(file?.BundlePublisher, 'BundlePublisher'),
    notifiers: enabled(file?.Notifier, 'Notifier'),
  };
};

const enabled = (blocks: PluginBlocks | undefined, kind: string): PluginChoice[] =>
  Object.entries(blocks ?? {}).flatMap(([name, bodies]) =>
    bodies.filter((body) => body.enabled).map((body) => ({ name, data: pluginData(body, `plugins.${kind}.${name}`) })),
  );

const pluginData = (body: PluginBlocks[string][number], path: string): PluginChoice['data'] => {
  const { plugin_data: data, plugin_data_file: file } = body;
  if (file === undefined) return data ?? {};
  const setting = `${path}.plugin_data_file`;
  if (data !== undefined)
    throw new ConfigError([{ path: setting, message: 'plugin_data is set already; only one may be' }]);
  return readPluginData(file, setting).value as PluginChoice['data'];
};

const atMostOne = (kind: string, chosen: readonly PluginChoice[], document: ConfigDocument): ConfigProblem[] => {
  if (chosen.length < 2) return [];
  const message = `only one ${kind} can be used, but ${chosen.map(({ name }) => `"${name}"`).join(' and ')} are configured`;
  return [problemAt(document, ['plugins', kind], message)];
};
