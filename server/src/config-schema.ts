import {
  duration,
  flag,
  integer,
  labelledBlocks,
  logFormat,
  logLevel,
  oneOrMany,
  singleBlock,
} from '@steeple/daemon/config';
import { healthChecksSchema } from '@steeple/daemon/health';
import { telemetrySchema } from '@steeple/daemon/metrics';
import { SpiffeError, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { z } from 'zod';
import { trustedRanges } from './endpoints/proxy-front.ts';
import { federationSchema } from './federation-schema.ts';
import { kubernetesSchema } from './kubernetes-schema.ts';

const NOT_YET = 'is a setting of SPIRE that this server does not support yet; remove it';
const unsupported = z
  .unknown()
  .refine((value) => value === undefined, NOT_YET)
  .optional();
const refused = (why: string) =>
  z
    .unknown()
    .refine((value) => value === undefined, why)
    .optional();
/** A setting that is taken only with the value that changes nothing. */
const only = (value: boolean, why: string) => flag(z.boolean().refine((given) => given === value, why)).optional();
const PROFILING = 'this profiles the Go runtime; start the server with node --cpu-prof or --inspect instead';

const addressRange = z.string().transform((cidr, context) => {
  try {
    trustedRanges([cidr]);
    return cidr;
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

/** Tunes SPIRE's entry cache; ours follows each change at once, so there is nothing to tune. */
const withoutEffect = z.union([z.string(), z.boolean()]).optional();

/** A text read by one of spiffe's parsers. */
const parsed = <T>(parse: (text: string) => T): z.ZodType<T, string> =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof SpiffeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

const lifetime = duration.refine((seconds) => seconds >= 1, 'must be at least one second');
const keyType = z.enum(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096']);
const names = oneOrMany(z.string().min(1));

const plugin = z.strictObject({
  plugin_data: singleBlock(z.record(z.string(), z.unknown())).optional(),
  enabled: flag().default(true),
  /** Instead of plugin_data. */
  plugin_data_file: z.string().min(1).optional(),
  plugin_cmd: unsupported,
  plugin_checksum: unsupported,
  plugin_args: unsupported,
});
const plugins = labelledBlocks(plugin);

const server = z.strictObject({
  trust_domain: parsed((text) => TrustDomain.fromIdOrName(text)),
  bind_address: z.string().min(1).default('0.0.0.0'),
  bind_port: integer(z.int().min(0).max(65535)).default(8081),
  socket_path: z.string().min(1).optional(),
  data_dir: z.string().min(1).optional(),
  log_level: logLevel.default('info'),
  log_format: logFormat.default('text'),
  /** Written instead of standard error, and opened anew on SIGUSR2. */
  log_file: z.string().min(1).optional(),
  ca_ttl: lifetime.optional(),
  ca_key_type: keyType.default('ec-p256'),
  ca_subject: singleBlock(
    z.strictObject({ country: names, organization: names, common_name: z.string().default('') }),
  ).optional(),
  jwt_key_type: keyType.optional(),
  default_x509_svid_ttl: lifetime.optional(),
  default_jwt_svid_ttl: lifetime.optional(),
  agent_ttl: lifetime.optional(),
  jwt_issuer: z.string().min(1).optional(),
  admin_ids: oneOrMany(parsed((text) => SpiffeId.parse(text))),
  ratelimit: singleBlock(
    z.strictObject({ attestation: flag().default(true), signing: flag().default(true) }),
  ).optional(),
  audit_log_enabled: flag().default(false),
  disable_jwt_svids: flag().default(false),
  experimental: singleBlock(
    z.strictObject({
      wit_issuer: z
        .string()
        .refine(
          (issuer) => !/^https?:/i.test(issuer),
          'must not be a URL: a WIT issuer must not look like an OpenID provider',
        )
        .optional(),
      wit_key_type: keyType.optional(),
      feature_flags: oneOrMany(z.enum(['wit-svid'])),
      cache_reload_interval: withoutEffect,
      full_cache_reload_interval: withoutEffect,
      events_based_cache: withoutEffect,
      prune_events_older_than: withoutEffect,
      event_timeout: withoutEffect,
      sql_transaction_timeout: withoutEffect,
      /** Every agent has its own ID among its selectors. */
      agent_spiffe_id_as_selector: flag().default(false),
      auth_opa_policy_engine: refused('who may call what cannot be changed here; remove it'),
      named_pipe_name: refused('this server does not run on Windows; use socket_path'),
      /** Refuse connections without a post-quantum key exchange. */
      require_pq_kem: flag().default(false),
    }),
  ).optional(),
  federation: federationSchema.optional(),
  /** Ours are never stale: what is known of an agent is looked up at every call. */
  max_attested_node_info_staleness: duration.optional(),
  /** Load balancers that say with the PROXY protocol where a connection comes from. */
  proxy_protocol_trusted_cidrs: oneOrMany(addressRange),
  /** Agents whose SVID expired that long ago are forgotten; without it none are. */
  prune_attested_nodes_expired_for: duration.optional(),
  prune_attested_nodes_batch_size: integer(z.int().min(0)).default(0),
  prune_tofu_nodes: flag().default(false),
  log_source_location: only(false, 'lines of the log do not say where in the source they come from; remove it'),
  profiling_enabled: only(false, PROFILING),
  profiling_freq: refused(PROFILING),
  profiling_names: refused(PROFILING),
  profiling_port: refused(PROFILING),
});

/** The file as SPIRE's users know it: `server { … }` and `plugins { … }`. */
export const serverConfigSchema = z.strictObject({
  server: singleBlock(server),
  plugins: singleBlock(
    z.strictObject({
      DataStore: plugins.optional(),
      KeyManager: plugins.optional(),
      NodeAttestor: plugins.optional(),
      BundlePublisher: plugins.optional(),
      CredentialComposer: unsupported,
      Notifier: plugins.optional(),
      UpstreamAuthority: plugins.optional(),
    }),
  ).optional(),
  health_checks: healthChecksSchema.optional(),
  telemetry: telemetrySchema.optional(),
  kubernetes: kubernetesSchema.optional(),
});

export type ServerConfigFile = z.infer<typeof serverConfigSchema>;
export type PluginBlocks = NonNullable<NonNullable<ServerConfigFile['plugins']>['DataStore']>;
