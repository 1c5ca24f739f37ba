import { singleBlock } from '@steeple/daemon/config';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { AzureApi } from './azure-imds/azure-api.ts';
import { type AzureCredential, type AzurePlaces, AzureTokens } from './azure-imds/azure-tokens.ts';
import { isUuid } from './azure-imds/messages.ts';
import { ownSubscription } from './azure-msi/metadata.ts';
import { AzureMsiProver } from './azure-msi/prover.ts';
import { AzureMsiVerifier, type MsiTenant, PATH_FIELDS } from './azure-msi/verifier.ts';
import { callOutside } from './cloud/call-outside.ts';
import { agentPathOf, httpAddress } from './cloud/settings.ts';
import { SigningKeys } from './cloud/signing-keys.ts';

const NAME = 'azure_msi';
const DEFAULT_PATH = '{{ .PluginName }}/{{ .TenantID }}/{{ .PrincipalID }}';
const DEFAULT_RESOURCE = 'https://management.azure.com/';
const LOGIN = 'https://login.microsoftonline.com';
const MANAGEMENT = 'https://management.azure.com';
const METADATA = 'http://169.254.169.254';

const text = z.string().min(1);
const uuid = z.string().refine(isUuid, 'must be a UUID');

const tenantSchema = singleBlock(
  z
    .strictObject({
      resource_id: text.default(DEFAULT_RESOURCE),
      subscription_id: uuid.optional(),
      app_id: text.optional(),
      app_secret: text.optional(),
    })
    .refine(
      (c) => new Set([c.subscription_id, c.app_id, c.app_secret].map((value) => value === undefined)).size === 1,
      'set all of "subscription_id", "app_id" and "app_secret", or none',
    ),
);
type TenantConfig = z.infer<typeof tenantSchema>;

const verifierSchema = z.strictObject({
  tenants: singleBlock(
    z.record(uuid, tenantSchema).refine((tenants) => Object.keys(tenants).length > 0, 'must have at least one tenant'),
  ),
  agent_path_template: text.default(DEFAULT_PATH),
  /** Own: where keys and tokens are had; also from `AZURE_AUTHORITY_HOST`. */
  login_endpoint: httpAddress.optional(),
  /** Own: Azure Resource Manager. */
  management_endpoint: httpAddress.optional(),
  /** Own: the metadata service of the machine that the server runs on. */
  imds_endpoint: httpAddress.optional(),
});
type VerifierConfig = z.infer<typeof verifierSchema>;

export const azureMsiVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, { trustDomain, agents, clock }) => {
    const now = () => clock.now();
    const authority = process.env['AZURE_AUTHORITY_HOST'];
    const places: AzurePlaces = {
      login: config.login_endpoint ?? (authority ? httpAddress.parse(authority) : new URL(LOGIN)),
      management: config.management_endpoint ?? new URL(MANAGEMENT),
      metadata: config.imds_endpoint ?? new URL(METADATA),
    };
    const url = new URL('common/discovery/keys', places.login);
    return new AzureMsiVerifier({
      trustDomain,
      agents,
      keys: new SigningKeys({ owner: 'Azure', url, ask: callOutside, now }),
      tenants: new Map(
        Object.entries(config.tenants).map(([id, tenant]) => [id.toLowerCase(), tenantOf(id, tenant, places, now)]),
      ),
      agentPath: agentPathOf(config.agent_path_template, PATH_FIELDS),
      now,
    });
  },
};

const proverSchema = z.strictObject({
  resource_id: text.default(DEFAULT_RESOURCE),
  /** Own: the machine's metadata service. */
  imds_endpoint: httpAddress.optional(),
});

export const azureMsiProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async ({ resource_id: resourceId, imds_endpoint: endpoint = new URL(METADATA) }) =>
    new AzureMsiProver({ resourceId, endpoint, ask: callOutside }),
};

function tenantOf(id: string, config: TenantConfig, places: AzurePlaces, now: () => number): MsiTenant {
  const { app_id: appId, app_secret: appSecret, subscription_id: subscriptionId } = config;
  const credential: AzureCredential =
    appId !== undefined && appSecret !== undefined
      ? { kind: 'secret', appId, appSecret }
      : { kind: 'default', environment: process.env };
  const tokens = new AzureTokens({ tenant: id, credential, places, ask: callOutside, now });
  return {
    resourceId: config.resource_id,
    api: new AzureApi(tokens, places.management, callOutside),
    subscription: async (signal) => subscriptionId ?? (await ownSubscription(places.metadata, callOutside, signal)),
  };
}
