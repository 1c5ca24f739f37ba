import { duration, flag, integer, oneOrMany, parsed, singleBlock } from '@steeple/daemon/config';
import { SpiffeError, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { z } from 'zod';

// The kinds of values that stand in an agent's configuration.

export const text = z.string().min(1, 'must not be empty');

/** A setting of SPIRE's that means something we do not do: dropping it silently would be worse than refusing. */
export const refused = (hint = 'this SPIRE setting is not supported yet; remove it') =>
  z.custom((value) => value === undefined, hint).optional();

/** A setting of SPIRE's of which we can do one value only. */
export const only = (value: unknown, hint: string) =>
  z.custom((given) => given === undefined || given === value, hint).optional();

export const socketPath = text.refine(
  (path) => !path.includes('://'),
  'must be a file path: unix sockets are the only local transport',
);

export const trustDomain = parsed((value) => TrustDomain.fromIdOrName(value), SpiffeError);
export const spiffeId = parsed((value) => SpiffeId.parse(value), SpiffeError);

export const webUrl = text.refine(
  (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
  'must be an https URL',
);

/** As in SPIFFE_ENDPOINT_SOCKET (Workload Endpoint section 4). */
export const workloadApiAddress = text.refine(
  (value) =>
    /^unix:(\/\/)?\/[^?#]+$/.test(value) || /^tcp:\/\/(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/.test(value),
  'must be the address of a Workload API: unix:///path or tcp://1.2.3.4:8000',
);

export const port = integer(z.int().min(1).max(65_535));

/** How many to keep; 0 means the default, as in SPIRE. */
export const cacheSize = integer(z.int().min(0, 'must not be negative'))
  .default(0)
  .transform((size) => (size === 0 ? 1000 : size));

/** Calls per second and burst; absent or 0: no limit. */
const rate = integer(z.int().min(0, 'must not be negative')).default(0);

const rateLimits = singleBlock(
  z.strictObject({
    fetch_x509_svid: rate,
    fetch_jwt_svid: rate,
    fetch_x509_bundles: rate,
    fetch_jwt_bundles: rate,
    stream_secrets: rate,
    fetch_secrets: rate,
  }),
);

/** How Envoy may name what it need not know by name. */
export const secretDiscovery = singleBlock(
  z
    .strictObject({
      default_svid_name: text.default('default'),
      default_bundle_name: text.default('ROOTCA'),
      default_all_bundles_name: text.default('ALL'),
      disable_spiffe_cert_validation: flag().default(false),
    })
    .refine(
      (sds) => sds.default_bundle_name !== sds.default_all_bundles_name,
      'default_bundle_name and default_all_bundles_name must differ: nobody could ask for the second one',
    ),
);

const WINDOWS = (instead: string) => `named pipes are for Windows; use ${instead}`;

export const experimental = z.strictObject({
  /** Time between two questions to the server. */
  sync_interval: duration.refine((seconds) => seconds >= 0.1, 'must be at least 100ms').default(5),
  /** How long to wait for a fresher token while a valid one is at hand. */
  jwt_svid_cache_hit_timeout: duration
    .refine((seconds) => seconds >= 5 && seconds <= 30, 'must be between 5s and 30s')
    .default(30),
  /** Names of switched-on features; `wit-svid` offers the WIT profile. */
  feature_flags: oneOrMany(z.enum(['wit-svid'])),
  /** Accepted as SPIRE has it; the agent finds out by itself what the server can. */
  use_sync_authorized_entries: flag().optional(),
  ratelimit: rateLimits.default(() => rateLimits.parse({})),
  named_pipe_name: refused(WINDOWS('socket_path')),
  admin_named_pipe_name: refused(WINDOWS('admin_socket_path')),
  /** Refuse a server without a post-quantum key exchange. */
  require_pq_kem: flag().default(false),
  broker: refused('the Broker API is not supported yet; remove this block'),
});
