import { resolve } from 'node:path';
import { ConfigError, defaultDataDir, defaultSocket, type LogFormat, type LogLevel } from '@steeple/daemon';
import {
  type ConfigDocument,
  checkConfig,
  checkSocketPath,
  configOf,
  type Environment,
  problemAt,
  readPluginData,
} from '@steeple/daemon/config';
import type { HealthCheckSettings } from '@steeple/daemon/health';
import type { TelemetrySettings } from '@steeple/daemon/metrics';
import type { KeyType, SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { TrustSource } from './app/trust-source.ts';
import { checkAgentSettings } from './config-checks.ts';
import { type AgentFile, agentFileSchema, type PluginBody } from './config-schema.ts';

/** A plugin by name, with its settings as far as they were not judged yet. */
export interface PluginChoice {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Where its settings stand in the file, for messages. */
  readonly document: ConfigDocument;
}

/** What an agent needs to know. Durations in seconds, paths absolute. */
export interface AgentConfig {
  readonly trustDomain: TrustDomain;
  readonly server: { readonly host: string; readonly port: number; readonly requirePostQuantum: boolean };
  /** Where workloads connect, unless both of their APIs are switched off. */
  readonly socketPath: string;
  readonly workloadApi: boolean;
  /** Envoy's secret discovery on the same socket; undefined: switched off. */
  readonly secretDiscovery: SecretDiscoverySettings | undefined;
  readonly adminSocketPath: string | undefined;
  readonly authorizedDelegates: readonly SpiffeId[];
  readonly rateLimits: RateLimitSettings;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
  readonly logSelectors: readonly string[];
  readonly telemetry: TelemetrySettings | undefined;
  readonly healthChecks: HealthCheckSettings | undefined;
  readonly trust: TrustSource;
  readonly rebootstrap: RebootstrapSettings;
  readonly workloadKeyType: KeyType;
  readonly allowUnauthenticatedVerifiers: boolean;
  readonly allowedForeignJwtClaims: readonly string[];
  readonly availabilityTarget: number | undefined;
  readonly syncInterval: number;
  readonly x509CacheSize: number;
  readonly jwtCache: { readonly maxSize: number; readonly hitTimeout: number };
  /** What the Workload API offers. */
  readonly profiles: ProfileSettings;
  readonly keyManager: PluginChoice;
  readonly nodeAttestor: PluginChoice;
  /** Configured, and not used because a join token is there. */
  readonly idleNodeAttestor: PluginChoice | undefined;
  readonly workloadAttestors: readonly PluginChoice[];
  readonly svidStores: readonly PluginChoice[];
}

/** Each kind of SVID with its bundles, on or off (Workload API section 1). */
interface ProfileSettings {
  readonly x509: boolean;
  readonly jwt: boolean;
  readonly wit: boolean;
}

/** The names under which Envoy asks, and whether it gets plain roots. */
interface SecretDiscoverySettings {
  readonly names: { readonly svid: string; readonly bundle: string; readonly allBundles: string };
  readonly disableSpiffeCertValidation: boolean;
}

/** Calls per second and set of selectors, by SPIRE's names of the methods; 0: no limit. */
export type RateLimitSettings = AgentFile['agent']['experimental']['ratelimit'];

interface RebootstrapSettings {
  readonly mode: 'never' | 'auto' | 'always';
  /** Seconds that the server must have been a stranger. */
  readonly delay: number;
}

type PluginKind = keyof AgentFile['plugins'];

/**
 * The configuration of an agent from a document with SPIRE's keys. `env` gives the default folders.
 *
 * @throws {ConfigError} with every problem and its place
 */
export function parseAgentConfig(document: ConfigDocument, env: Environment = process.env): AgentConfig {
  const file = checkConfig(agentFileSchema, document);
  const { agent } = file;
  checkAgentSettings(file, document);
  const { sds } = agent;
  const dataDir = resolve(agent.data_dir ?? defaultDataDir('agent', env));
  const keyManager = onlyOne('KeyManager', choices(file, document, 'KeyManager', 'disk', { directory: dataDir }));
  const nodeAttestor = onlyOne('NodeAttestor', choices(file, document, 'NodeAttestor', 'join_token', {}));
  const attestsWith = withJoinToken(nodeAttestor, agent);
  return Object.freeze({
    trustDomain: agent.trust_domain,
    server: {
      host: agent.server_address,
      port: agent.server_port,
      requirePostQuantum: agent.experimental.require_pq_kem,
    },
    socketPath: checkSocketPath(
      document,
      ['agent', 'socket_path'],
      resolve(agent.socket_path ?? defaultSocket('agent', env)),
    ),
    workloadApi: !agent.disable_workload_api,
    secretDiscovery: agent.disable_sds_api
      ? undefined
      : {
          names: {
            svid: sds.default_svid_name,
            bundle: sds.default_bundle_name,
            allBundles: sds.default_all_bundles_name,
          },
          disableSpiffeCertValidation: sds.disable_spiffe_cert_validation,
        },
    adminSocketPath:
      agent.admin_socket_path === undefined
        ? undefined
        : checkSocketPath(document, ['agent', 'admin_socket_path'], resolve(agent.admin_socket_path)),
    authorizedDelegates: agent.authorized_delegates,
    rateLimits: agent.experimental.ratelimit,
    dataDir,
    logLevel: agent.log_level,
    logFormat: agent.log_format,
    logFile: agent.log_file === undefined ? undefined : resolve(agent.log_file),
    logSelectors: agent.log_selectors,
    telemetry: file.telemetry,
    healthChecks: file.health_checks,
    trust: trustSource(agent),
    rebootstrap: { mode: agent.rebootstrap_mode, delay: agent.rebootstrap_delay },
    workloadKeyType: agent.workload_x509_svid_key_type,
    allowUnauthenticatedVerifiers: agent.allow_unauthenticated_verifiers,
    allowedForeignJwtClaims: agent.allowed_foreign_jwt_claims,
    availabilityTarget: agent.availability_target,
    syncInterval: agent.experimental.sync_interval,
    x509CacheSize: agent.x509_svid_cache_max_size,
    jwtCache: { maxSize: agent.jwt_svid_cache_max_size, hitTimeout: agent.experimental.jwt_svid_cache_hit_timeout },
    profiles: {
      x509: !agent.disabled_profiles.includes('x509'),
      jwt: !agent.disabled_profiles.includes('jwt'),
      wit: agent.experimental.feature_flags.includes('wit-svid'),
    },
    keyManager,
    nodeAttestor: attestsWith,
    idleNodeAttestor: attestsWith.name === nodeAttestor.name ? undefined : nodeAttestor,
    workloadAttestors: choices(file, document, 'WorkloadAttestor', 'unix', {}),
    svidStores: named(file, document, 'SVIDStore'),
  });
}

/** As {@link parseAgentConfig}, for a configuration made in the program, in the form of a file. */
export function agentConfigOf(value: unknown, env: Environment = process.env): AgentConfig {
  return parseAgentConfig(configOf(value), env);
}

function trustSource(agent: AgentFile['agent']): TrustSource {
  const {
    trust_bundle_path: path,
    trust_bundle_url: url,
    trust_bundle_unix_socket: socket,
    trust_bundle_spiffe_workload_api: workloadApi,
    trust_bundle_pin: sha256,
    trust_bundle_format: format,
  } = agent;
  if (path !== undefined) return { kind: 'file', path: resolve(path), format };
  if (url !== undefined)
    return { kind: 'url', url, format, ...(socket !== undefined && { socketPath: resolve(socket) }) };
  if (workloadApi !== undefined) return { kind: 'workload-api', address: workloadApi };
  return sha256 === undefined ? { kind: 'insecure' } : { kind: 'pin', sha256 };
}

/** The enabled plugins of a kind; without any, the one that suits most. */
function choices(
  file: AgentFile,
  document: ConfigDocument,
  kind: PluginKind,
  fallback: string,
  data: Readonly<Record<string, unknown>>,
): readonly PluginChoice[] {
  const found = named(file, document, kind);
  return found.length > 0 ? found : [{ name: fallback, data, document: configOf(data) }];
}

function named(file: AgentFile, document: ConfigDocument, kind: PluginKind): readonly PluginChoice[] {
  return Object.entries(file.plugins[kind] ?? {}).flatMap(([name, bodies]) =>
    bodies.filter(({ enabled }) => enabled).map((body) => ({ name, ...settingsOf(body, document, kind, name) })),
  );
}

/** What stands in the plugin's block, or in the file that it names. */
function settingsOf(
  body: PluginBody,
  document: ConfigDocument,
  kind: string,
  name: string,
): Pick<PluginChoice, 'data' | 'document'> {
  const { plugin_data: data, plugin_data_file: path } = body;
  if (path === undefined) return { data: data ?? {}, document: part(document, data ?? {}, kind, name) };
  const setting = ['plugins', kind, name, 'plugin_data_file'];
  if (data !== undefined)
    throw new ConfigError([problemAt(document, setting, 'plugin_data is set already; only one may be')]);
  const own = readPluginData(path, setting.join('.'));
  return { data: own.value as PluginChoice['data'], document: own };
}

function onlyOne(kind: PluginKind, plugins: readonly PluginChoice[]): PluginChoice {
  const [first, ...others] = plugins;
  if (first !== undefined && others.length === 0) return first;
  throw new ConfigError([{ path: `plugins.${kind}`, message: 'exactly one is needed' }]);
}

/** A token is what the node attests with, whichever attestor is configured beside it. */
function withJoinToken(attestor: PluginChoice, agent: AgentFile['agent']): PluginChoice {
  const { join_token: token, join_token_file: file } = agent;
  if (token === undefined && file === undefined) return attestor;
  const own = token === undefined ? { join_token_file: resolve(file ?? '') } : { join_token: token };
  if (attestor.name !== 'join_token') return { name: 'join_token', data: own, document: configOf(own) };
  const data = { ...attestor.data, ...own };
  return { ...attestor, data, document: { ...attestor.document, value: data } };
}

/** The settings of one plugin as a document of their own that still knows its places. */
function part(document: ConfigDocument, value: unknown, kind: string, name: string): ConfigDocument {
  return {
    value,
    ...(document.file === undefined ? {} : { file: document.file }),
    positionOf: (path) => document.positionOf(['plugins', kind, name, 'plugin_data', ...path]),
  };
}
