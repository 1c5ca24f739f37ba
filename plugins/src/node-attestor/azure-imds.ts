import { randomBytes } from 'node:crypto';
import { ConfigError } from '@steeple/daemon';
import { singleBlock } from '@steeple/daemon/config';
import type { Certificate } from '@steeple/spiffe';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { AzureApi } from './azure-imds/azure-api.ts';
import { type AzureCredential, type AzurePlaces, AzureTokens } from './azure-imds/azure-tokens.ts';
import { DocumentTrust } from './azure-imds/document-trust.ts';
import { IssuerCertificates } from './azure-imds/issuer-certificates.ts';
import { AzureImdsProver } from './azure-imds/prover.ts';
import { AzureImdsVerifier, type AzureTenant, PATH_FIELDS } from './azure-imds/verifier.ts';
import { callOutside } from './cloud/call-outside.ts';
import { agentPathOf, certificatesIn, httpAddress } from './cloud/settings.ts';

const NAME = 'azure_imds';
const DEFAULT_PATH = '{{ .PluginName }}/{{ .TenantID }}/{{ .SubscriptionID }}/{{ .VMID }}';
const LOGIN = 'https://login.microsoftonline.com';
const MANAGEMENT = 'https://management.azure.com';
const METADATA = 'http://169.254.169.254';

const text = z.string().min(1);
const domain = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'must be a domain');

const tenantSchema = singleBlock(
  z
    .strictObject({
      /** SPIRE reads this key and makes nothing of it. */
      auth_type: text.optional(),
      secret_auth: singleBlock(z.strictObject({ app_id: text, app_secret: text })).optional(),
      token_auth: singleBlock(z.strictObject({ app_id: text, token_path: text })).optional(),
      allowed_vm_tags: z.array(text).default([]),
      restrict_to_subscriptions: z.array(z.string().trim().min(1, 'must not be empty')).default([]),
    })
    .refine((c) => !(c.secret_auth && c.token_auth), 'set only one of "secret_auth" and "token_auth"'),
);
type TenantConfig = z.infer<typeof tenantSchema>;

const verifierSchema = z.strictObject({
  tenants: singleBlock(
    z
      .record(domain, tenantSchema)
      .refine((tenants) => Object.keys(tenants).length > 0, 'must have at least one tenant'),
  ),
  agent_path_template: text.default(DEFAULT_PATH),
  allowed_metadata_domains: z.array(domain).default([]),
  trust_bundle_path: text.optional(),
  /** Own: PEM file with certificates of issuers, for servers that cannot fetch them. */
  intermediates_path: text.optional(),
  /** Own: hosts from which issuers' certificates are fetched. */
  ca_issuers_hosts: z.array(text).default(['www.microsoft.com']),
  /** Own: where tenants are looked up and tokens are had; also from `AZURE_AUTHORITY_HOST`. */
  login_endpoint: httpAddress.optional(),
  /** Own: Azure Resource Manager. */
  management_endpoint: httpAddress.optional(),
  /** Own: the metadata service of the machine that the server runs on. */
  imds_endpoint: httpAddress.optional(),
});
type VerifierConfig = z.infer<typeof verifierSchema>;

export const azureImdsVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, { trustDomain, agents, clock }) => {
    const now = () => clock.now();
    const { intermediates_path: intermediates, allowed_metadata_domains: domains } = config;
    return new AzureImdsVerifier({
      trustDomain,
      agents,
      trust: new DocumentTrust({
        domains: domains.length > 0 ? domains : ['metadata.azure.com'],
        roots: await rootsOf(config.trust_bundle_path),
        intermediates: intermediates === undefined ? [] : await certificatesIn('intermediates_path', intermediates),
        issuers: new IssuerCertificates(config.ca_issuers_hosts, callOutside),
        now,
      }),
      tenants: tenantsOf(config, now),
      agentPath: agentPathOf(config.agent_path_template, PATH_FIELDS),
      random: randomBytes,
    });
  },
};

const proverSchema = z.strictObject({
  tenant_domain: domain,
  /** Own: the machine's metadata service. */
  imds_endpoint: httpAddress.optional(),
});

export const azureImdsProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async ({ tenant_domain: tenantDomain, imds_endpoint: endpoint = new URL(METADATA) }) =>
    new AzureImdsProver({ tenantDomain, endpoint, ask: callOutside }),
};

function tenantsOf(config: VerifierConfig, now: () => number): ReadonlyMap<string, AzureTenant> {
  const places = placesOf(config);
  const tenants = Object.entries(config.tenants).map(([tenant, settings]): [string, AzureTenant] => {
    const tokens = new AzureTokens({ tenant, credential: credentialOf(settings), places, ask: callOutside, now });
    const api = new AzureApi(tokens, places.management, callOutside);
    const subscriptions = new Set(settings.restrict_to_subscriptions.map((id) => id.toLowerCase()));
    return [tenant, { tokens, api, subscriptions, tags: new Set(settings.allowed_vm_tags) }];
  });
  return new Map(tenants);
}

function placesOf(config: VerifierConfig): AzurePlaces {
  const authority = process.env['AZURE_AUTHORITY_HOST'];
  return {
    login: config.login_endpoint ?? (authority ? httpAddress.parse(authority) : new URL(LOGIN)),
    management: config.management_endpoint ?? new URL(MANAGEMENT),
    metadata: config.imds_endpoint ?? new URL(METADATA),
  };
}

function credentialOf({ secret_auth: secret, token_auth: token }: TenantConfig): AzureCredential {
  if (secret) return { kind: 'secret', appId: secret.app_id, appSecret: secret.app_secret };
  if (token) return { kind: 'token', appId: token.app_id, tokenPath: token.token_path };
  return { kind: 'default', environment: process.env };
}

async function rootsOf(file: string | undefined): Promise<readonly Certificate[]> {
  if (file === undefined) return [];
  const roots = await certificatesIn('trust_bundle_path', file);
  if (roots.every(({ isCa }) => isCa)) return roots;
  throw new ConfigError([{ path: 'trust_bundle_path', file, message: 'holds a certificate that is no CA' }]);
}
