import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { callOutside } from './cloud/call-outside.ts';
import { agentPathOf, httpAddress } from './cloud/settings.ts';
import { SigningKeys } from './cloud/signing-keys.ts';
import { AccessTokens } from './gcp-iit/access-token.ts';
import type { ComputeInstanceOptions } from './gcp-iit/compute-instance.ts';
import { GcpIitProver } from './gcp-iit/prover.ts';
import { GcpIitVerifier, PATH_FIELDS } from './gcp-iit/verifier.ts';

const NAME = 'gcp_iit';
const DEFAULT_PATH = '{{ .PluginName }}/{{ .ProjectID }}/{{ .InstanceID }}';
const GOOGLE_CERTS = 'https://www.googleapis.com/oauth2/v1/certs';
const COMPUTE = 'https://compute.googleapis.com';
const METADATA_HOST = 'metadata.google.internal';

const text = z.string().min(1);

const verifierSchema = z.strictObject({
  projectid_allow_list: z.array(text).min(1, 'must name at least one project'),
  agent_path_template: text.default(DEFAULT_PATH),
  use_instance_metadata: z.boolean().default(false),
  allowed_label_keys: z.array(text).default([]),
  allowed_metadata_keys: z.array(text).default([]),
  /** In bytes; 0 is the default. */
  max_metadata_value_size: z.int().min(0).default(0),
  service_account_file: text.optional(),
  /** Own: where the keys of identity tokens are, certificates by key ID or a JWK set. */
  google_certs_url: z
    .string()
    .refine((address) => URL.canParse(address) && /^https?:/.test(address), 'must be an http(s) address')
    .default(GOOGLE_CERTS),
  /** Own: asked in place of Compute Engine's API. */
  compute_endpoint: httpAddress.optional(),
});
type VerifierConfig = z.infer<typeof verifierSchema>;

export const gcpIitVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, { trustDomain, agents, clock }) => {
    const now = () => clock.now();
    return new GcpIitVerifier({
      trustDomain,
      agents,
      keys: new SigningKeys({ owner: 'Google', url: new URL(config.google_certs_url), ask: callOutside, now }),
      projects: new Set(config.projectid_allow_list),
      agentPath: agentPathOf(config.agent_path_template, PATH_FIELDS),
      compute: config.use_instance_metadata ? computeOptions(config, now) : undefined,
      now,
    });
  },
};

const proverSchema = z.strictObject({
  identity_token_host: z
    .string()
    .regex(/^(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/, 'must be a host, with or without a port')
    .optional(),
  service_account: z
    .string()
    .regex(/^[\w.@+-]{1,256}$/, 'must be the email address of a service account')
    .default('default'),
});

export const gcpIitProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async ({ identity_token_host: host = METADATA_HOST, service_account: serviceAccount }) =>
    new GcpIitProver({ host, serviceAccount, ask: callOutside }),
};

function computeOptions(config: VerifierConfig, now: () => number): ComputeInstanceOptions {
  const file = config.service_account_file ?? (process.env['GOOGLE_APPLICATION_CREDENTIALS'] || undefined);
  const metadataHost = process.env['GCE_METADATA_HOST'] || METADATA_HOST;
  return {
    endpoint: config.compute_endpoint ?? new URL(COMPUTE),
    tokens: new AccessTokens({ file, metadataHost, ask: callOutside, now }),
    ask: callOutside,
    labelKeys: new Set(config.allowed_label_keys),
    metadataKeys: new Set(config.allowed_metadata_keys),
    maxMetadataValueSize: config.max_metadata_value_size || 128,
  };
}
