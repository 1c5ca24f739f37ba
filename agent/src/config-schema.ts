import { LOG_LEVELS } from '@steeple/daemon';
import { duration, labelledBlocks, oneOrMany, singleBlock } from '@steeple/daemon/config';
import { SpiffeError, TrustDomain } from '@steeple/spiffe';
import { z } from 'zod';

const text = z.string().min(1, 'must not be empty');

/** A setting of SPIRE's that means something we do not do: dropping it silently would be worse than refusing. */
const notYet = z
  .custom((value) => value === undefined, 'this SPIRE setting is not supported yet; remove it')
  .optional();

const trustDomain = z.string().transform((value, context) => {
  try {
    return TrustDomain.fromIdOrName(value);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

const webUrl = text.refine(
  (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
  'must be an https URL',
);

/** `sha256:…`, with or without prefix and colons, as fingerprints are printed. */
const fingerprint = z
  .string()
  .transform((value) =>
    value
      .toLowerCase()
      .replace(/^sha-?256[:=]/, '')
      .replaceAll(':', ''),
  )
  .refine((value) => /^[0-9a-f]{64}$/.test(value), 'must be a SHA-256 fingerprint: 64 hexadecimal digits');

const logLevel = z
  .string()
  .transform((value) => (value.toLowerCase() === 'warning' ? 'warn' : value.toLowerCase()))
  .pipe(z.enum(LOG_LEVELS));

const experimental = z.strictObject({
  /** Time between two questions to the server. */
  sync_interval: duration.refine((seconds) => seconds >= 0.1, 'must be at least 100ms').default(5),
  /** Names of switched-on features; `wit-svid` offers the WIT profile. */
  feature_flags: oneOrMany(z.enum(['wit-svid'])),
  /** Accepted as SPIRE has it; the agent finds out by itself what the server can. */
  use_sync_authorized_entries: z.boolean().optional(),
  named_pipe_name: notYet,
  require_pq_kem: notYet,
  ratelimit: notYet,
  broker: notYet,
});

const agent = z
  .strictObject({
    trust_domain: trustDomain,
    /** Host name or IP address of the server. */
    server_address: text,
    server_port: z.int().min(1).max(65535).default(8081),
    /** The Workload API socket. */
    socket_path: text
      .refine((path) => !path.includes('://'), 'must be a file path: the Workload API is served on a unix socket only')
      .optional(),
    /** Where the agent keeps its SVID and, by default, its keys. */
    data_dir: text.optional(),
    log_level: logLevel.default('info'),
    log_format: z.enum(['text', 'json']).default('text'),
    /** File with the trust bundle for the first contact. */
    trust_bundle_path: text.optional(),
    /** Where to download it. */
    trust_bundle_url: webUrl.optional(),
    /** Ask a web server on this unix socket instead; the URL is an http one then. */
    trust_bundle_unix_socket: text.optional(),
    trust_bundle_format: z.enum(['pem', 'spiffe']).default('pem'),
    /** SHA-256 fingerprint of the server's root certificate (ours). */
    trust_bundle_pin: fingerprint.optional(),
    /** Believe whoever answers first. */
    insecure_bootstrap: z.boolean().default(false),
    join_token: text.optional(),
    join_token_file: text.optional(),
    workload_x509_svid_key_type: z.enum(['ec-p256', 'ec-p384', 'rsa-2048']).default('ec-p256'),
    /** Whether callers without identity get the own trust bundle. */
    allow_unauthenticated_verifiers: z.boolean().default(false),
    /** Claims of foreign JWT-SVIDs that ValidateJWTSVID passes on beside sub, aud and exp. */
    allowed_foreign_jwt_claims: oneOrMany(text),
    /** For how long workloads must outlive the server's absence. */
    availability_target: duration.refine((seconds) => seconds >= 24 * 3600, 'must be at least 24h').optional(),
    jwt_svid_cache_max_size: z.int().min(1).default(1000),
    /** How long to wait for a fresher token while a valid one is at hand. */
    jwt_svid_cache_hit_timeout: duration
      .refine((seconds) => seconds >= 5 && seconds <= 30, 'must be between 5s and 30s')
      .default(30),
    experimental: singleBlock(experimental).default(() => experimental.parse({})),
    admin_socket_path: notYet,
    authorized_delegates: notYet,
    disable_sds_api: notYet,
    disable_workload_api: notYet,
    log_file: notYet,
    log_selectors: notYet,
    log_source_location: notYet,
    profiling_enabled: notYet,
    profiling_freq: notYet,
    profiling_names: notYet,
    profiling_port: notYet,
    rebootstrap_delay: notYet,
    rebootstrap_mode: notYet,
    retry_bootstrap: notYet,
    sds: notYet,
    trust_bundle_spiffe_workload_api: notYet,
    x509_svid_cache_max_size: notYet,
  })
  .superRefine((agent, context) => {
    const bundles = ['trust_bundle_path', 'trust_bundle_url', 'trust_bundle_pin'] as const;
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
  enabled: z.boolean().default(true),
  plugin_cmd: notYet,
  plugin_args: notYet,
  plugin_checksum: notYet,
  plugin_data_file: notYet,
});

const plugins = z.strictObject({
  KeyManager: labelledBlocks(plugin).optional(),
  NodeAttestor: labelledBlocks(plugin).optional(),
  WorkloadAttestor: labelledBlocks(plugin).optional(),
  SVIDStore: notYet,
});

/** An agent's configuration file, with the names that SPIRE's `agent.conf` has. */
export const agentFileSchema = z.strictObject({
  agent: singleBlock(agent),
  plugins: singleBlock(plugins).default({}),
  health_checks: notYet,
  telemetry: notYet,
});

export type AgentFile = z.output<typeof agentFileSchema>;
