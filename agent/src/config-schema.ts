import {
  duration,
  fingerprint,
  flag,
  labelledBlocks,
  logFormat,
  logLevel,
  oneOrMany,
  singleBlock,
} from '@steeple/daemon/config';
import { healthChecksSchema } from '@steeple/daemon/health';
import { telemetrySchema } from '@steeple/daemon/metrics';
import { z } from 'zod';
import {
  cacheSize,
  experimental,
  only,
  port,
  refused,
  secretDiscovery,
  socketPath,
  spiffeId,
  text,
  trustDomain,
  webUrl,
  workloadApiAddress,
} from './config-fields.ts';

const PROFILING = 'this profiles the Go runtime; start the agent with node --cpu-prof or --inspect instead';

const agent = z
  .strictObject({
    trust_domain: trustDomain,
    /** Host name or IP address of the server. */
    server_address: text,
    server_port: port.default(8081),
    /** The Workload API socket. */
    socket_path: socketPath.optional(),
    disable_workload_api: flag().default(false),
    disable_sds_api: flag().default(false),
    sds: secretDiscovery.default(() => secretDiscovery.parse({})),
    /** The socket for this node's administrators and delegates. */
    admin_socket_path: socketPath.optional(),
    /** Identities whose holders may fetch those of other workloads. */
    authorized_delegates: oneOrMany(spiffeId),
    /** Where the agent keeps its SVID and, by default, its keys. */
    data_dir: text.optional(),
    log_level: logLevel.default('info'),
    log_format: logFormat.default('text'),
    /** Written instead of standard error, and opened anew on SIGUSR2. */
    log_file: text.optional(),
    /** Prefixes of selectors that may be logged. */
    log_selectors: oneOrMany(text),
    /** File with the trust bundle for the first contact. */
    trust_bundle_path: text.optional(),
    /** The Workload API of an agent that knows the bundle, such as that of the node's own SPIFFE. */
    trust_bundle_spiffe_workload_api: workloadApiAddress.optional(),
    /** Where to download it. */
    trust_bundle_url: webUrl.optional(),
    /** Ask a web server on this unix socket instead; the URL is an http one then. */
    trust_bundle_unix_socket: text.optional(),
    trust_bundle_format: z.enum(['pem', 'spiffe']).default('pem'),
    /** SHA-256 fingerprint of the server's root certificate (ours). */
    trust_bundle_pin: fingerprint.optional(),
    /** Believe whoever answers first. */
    insecure_bootstrap: flag().default(false),
    join_token: text.optional(),
    join_token_file: text.optional(),
    workload_x509_svid_key_type: z.enum(['ec-p256', 'ec-p384', 'rsa-2048']).default('ec-p256'),
    /** Whether callers without identity get the own trust bundle. */
    allow_unauthenticated_verifiers: flag().default(false),
    /** Profiles of the Workload API that are not offered; WIT-SVIDs are only offered on demand (`feature_flags`). */
    disabled_profiles: oneOrMany(z.enum(['x509', 'jwt'])),
    /** Claims of foreign JWT-SVIDs that ValidateJWTSVID passes on beside sub, aud and exp. */
    allowed_foreign_jwt_claims: oneOrMany(text),
    /** For how long workloads must outlive the server's absence. */
    availability_target: duration.refine((seconds) => seconds >= 24 * 3600, 'must be at least 24h').optional(),
    /** X509-SVIDs kept although nobody is subscribed to them. */
    x509_svid_cache_max_size: cacheSize,
    /** JWT-SVIDs kept. */
    jwt_svid_cache_max_size: cacheSize,
    /** What to do when the server is no more trusted: nothing, or to bootstrap anew where the node attestor allows it. */
    rebootstrap_mode: z.enum(['never', 'auto', 'always']).default('never'),
    rebootstrap_delay: duration.default(600),
    experimental: singleBlock(experimental).default(() => experimental.parse({})),
    /** SPIRE before 1.14; the first contact is always retried here. */
    retry_bootstrap: only(true, 'the first contact is always retried; remove this setting'),
    log_source_location: only(false, 'lines of the log do not say where in the source they come from; remove it'),
    profiling_enabled: only(false, PROFILING),
    profiling_freq: refused(PROFILING),
    profiling_names: refused(PROFILING),
    profiling_port: refused(PROFILING),
  })
  .superRefine((agent, context) => {
    const bundles = [
      'trust_bundle_path',
      'trust_bundle_url',
      'trust_bundle_pin',
      'trust_bundle_spiffe_workload_api',
    ] as const;
    const sources = [
      ...bundles.filter((key) => agent[key] !== undefined),
      ...(agent.insecure_bootstrap ? ['insecure_bootstrap'] : []),
    ];
    if (sources.length === 0) {
      const message = `how to trust the server is missing: set one of ${bundles.join(', ')} (or insecure_bootstrap = true to try things out)`;
      context.addIssue({ code: 'custom', message });
    }
    for (const key of sources.slice(1)) {
      context.addIssue({ code: 'custom', path: [key], message: `${sources[0]} is set already; only one may be` });
    }
    const { trust_bundle_url: url, trust_bundle_unix_socket: socket } = agent;
    if (url === undefined && socket !== undefined) {
      const message = 'needs trust_bundle_url, an http URL';
      context.addIssue({ code: 'custom', path: ['trust_bundle_unix_socket'], message });
    }
    const scheme = socket === undefined ? 'https' : 'http';
    if (url !== undefined && new URL(url).protocol !== `${scheme}:`) {
      const message =
        socket === undefined ? 'must be an https URL' : 'must be an http URL: trust_bundle_unix_socket is set';
      context.addIssue({ code: 'custom', path: ['trust_bundle_url'], message });
    }
    if (agent.join_token !== undefined && agent.join_token_file !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['join_token_file'],
        message: 'join_token is set already; only one may be',
      });
    }
  });

const plugin = z.strictObject({
  plugin_data: singleBlock(z.record(z.string(), z.unknown())).optional(),
  enabled: flag().default(true),
  plugin_cmd: refused(),
  plugin_args: refused(),
  plugin_checksum: refused(),
  /** Instead of plugin_data. */
  plugin_data_file: text.optional(),
});

const plugins = z.strictObject({
  KeyManager: labelledBlocks(plugin).optional(),
  NodeAttestor: labelledBlocks(plugin).optional(),
  WorkloadAttestor: labelledBlocks(plugin).optional(),
  SVIDStore: labelledBlocks(plugin).optional(),
});

/** An agent's configuration file, with the names that SPIRE's `agent.conf` has. */
export const agentFileSchema = z.strictObject({
  agent: singleBlock(agent),
  plugins: singleBlock(plugins).default({}),
  health_checks: healthChecksSchema.optional(),
  telemetry: telemetrySchema.optional(),
});

export type AgentFile = z.output<typeof agentFileSchema>;
export type PluginBody = z.output<typeof plugin>;
