import { X509Certificate } from 'node:crypto';
import { ConfigError } from '@steeple/daemon';
import { duration, singleBlock } from '@steeple/daemon/config';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { accountsInFile } from './aws-iid/account-list.ts';
import { AwsClient } from './aws-iid/aws-client.ts';
import { DocumentTrust } from './aws-iid/document-trust.ts';
import { clusterMembership, organizationMembership } from './aws-iid/memberships.ts';
import { PARTITIONS, type Partition } from './aws-iid/partition.ts';
import { AwsIidProver } from './aws-iid/prover.ts';
import { AwsIidVerifier, type Membership, PATH_FIELDS } from './aws-iid/verifier.ts';
import { callOutside } from './cloud/call-outside.ts';
import { agentPathOf, certificatesIn, httpAddress } from './cloud/settings.ts';

const NAME = 'aws_iid';
const DEFAULT_PATH = '{{ .PluginName }}/{{ .AccountID }}/{{ .Region }}/{{ .InstanceID }}';
const DEFAULT_TTL = 180;

const accountId = z.string().regex(/^\d{12}$/, 'must be an account ID of 12 digits');
const roleName = z.string().regex(/^[\w+=,.@/-]{1,512}$/, 'must be the name of a role, without "arn:"');
const regionName = z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be the name of a region');

const organizationSchema = z
  .strictObject({
    management_account_id: accountId.optional(),
    assume_org_role: roleName.optional(),
    management_account_region: regionName.optional(),
    org_account_map_ttl: duration.refine((seconds) => seconds >= 60, 'must be at least "1m"').optional(),
    account_list_file: z.string().min(1).optional(),
  })
  .refine(
    (c) => c.account_list_file === undefined || (c.management_account_id ?? c.assume_org_role) === undefined,
    '"account_list_file" takes the place of "management_account_id" and "assume_org_role"',
  )
  .refine(
    (c) => c.account_list_file !== undefined || (c.management_account_id && c.assume_org_role),
    'needs "management_account_id" and "assume_org_role", or "account_list_file"',
  );

const verifierSchema = z
  .strictObject({
    access_key_id: z.string().min(1).optional(),
    secret_access_key: z.string().min(1).optional(),
    skip_block_device: z.boolean().default(false),
    disable_instance_profile_selectors: z.boolean().default(false),
    /** Accounts whose instances need no look at their root volume. */
    account_ids_for_local_validation: z.array(accountId).default([]),
    agent_path_template: z.string().min(1).default(DEFAULT_PATH),
    assume_role: roleName.optional(),
    partition: z.enum(PARTITIONS).default('aws'),
    verify_organization: singleBlock(organizationSchema).optional(),
    validate_eks_cluster_membership: singleBlock(
      z.strictObject({
        eks_cluster_names: z
          .array(z.string().regex(/^[A-Za-z0-9][\w-]{0,99}$/, 'must be the name of a cluster'))
          .min(1),
      }),
    ).optional(),
    /** Own: refuse agents that send only the RSA-1024 signature. */
    require_rsa2048: z.boolean().default(false),
    /** Own: PEM files with the signing certificates of regions that are not built in, or in place of one that is. */
    signing_certificates: singleBlock(z.record(regionName, z.string().min(1))).default({}),
    /** Own: asked in place of AWS's endpoints, as AWS's tools take it from `AWS_ENDPOINT_URL`. */
    endpoint_url: httpAddress.optional(),
  })
  .refine(
    (c) => (c.access_key_id === undefined) === (c.secret_access_key === undefined),
    'set both "access_key_id" and "secret_access_key", or neither',
  );
type VerifierConfig = z.infer<typeof verifierSchema>;

export const awsIidVerifier: PluginDefinition<'node-verifier', VerifierConfig> = {
  kind: 'node-verifier',
  name: NAME,
  schema: verifierSchema,
  create: async (config, { trustDomain, agents, clock }) => {
    const { partition, assume_role: assumeRole } = config;
    const now = () => clock.now();
    const client = clientOf(config, now);
    const trust = new DocumentTrust({
      partition,
      certificates: await certificatesOf(config.signing_certificates),
      acceptRsa1024: !config.require_rsa2048,
    });
    return new AwsIidVerifier({
      trustDomain,
      agents,
      trust,
      client,
      partition,
      assumeRole,
      agentPath: agentPathOf(config.agent_path_template, PATH_FIELDS),
      pathNamesTags: config.agent_path_template.includes('.Tags'),
      memberships: await membershipsOf(config, { client, partition, assumeRole, now }),
      skipBlockDevice: config.skip_block_device,
      localAccounts: new Set(config.account_ids_for_local_validation),
      profileSelectors: !config.disable_instance_profile_selectors,
    });
  },
};

const proverSchema = z.strictObject({
  /** SPIRE's documentation writes it with `/latest`, which may be there. */
  ec2_metadata_endpoint: z
    .string()
    .regex(/^https?:\/\/[^/?#@]+(?:\/latest)?\/?$/, 'must be an http address')
    .optional(),
});

export const awsIidProver: PluginDefinition<'node-prover', z.infer<typeof proverSchema>> = {
  kind: 'node-prover',
  name: NAME,
  schema: proverSchema,
  create: async ({ ec2_metadata_endpoint: configured }) =>
    new AwsIidProver({ endpoint: configured ?? process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'], ask: callOutside }),
};

function clientOf(config: VerifierConfig, now: () => number): AwsClient {
  const { partition, access_key_id: accessKeyId, secret_access_key: secretAccessKey } = config;
  const fromEnvironment = process.env['AWS_ENDPOINT_URL'];
  const endpoint = config.endpoint_url ?? (fromEnvironment ? httpAddress.parse(fromEnvironment) : undefined);
  const credentials = { accessKeyId, secretAccessKey, environment: process.env };
  return new AwsClient({ partition, credentials, endpoint, ask: callOutside, now });
}

async function certificatesOf(files: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, X509Certificate>> {
  const certificates = new Map<string, X509Certificate>();
  for (const [region, file] of Object.entries(files)) {
    const setting = `signing_certificates.${region}`;
    const [certificate] = await certificatesIn(setting, file);
    if (certificate !== undefined) certificates.set(region, new X509Certificate(certificate.raw));
  }
  return certificates;
}

async function membershipsOf(
  config: VerifierConfig,
  common: { client: AwsClient; partition: Partition; assumeRole: string | undefined; now: () => number },
): Promise<readonly Membership[]> {
  const { verify_organization: organization, validate_eks_cluster_membership: clusters } = config;
  const memberships: Membership[] = [];
  if (organization !== undefined) {
    const ttl = organization.org_account_map_ttl ?? DEFAULT_TTL;
    memberships.push(organizationMembership(await accountSource(organization), ttl, common));
  }
  if (clusters !== undefined) memberships.push(clusterMembership(clusters.eks_cluster_names, common));
  return memberships;
}

async function accountSource(organization: z.infer<typeof organizationSchema>) {
  const { account_list_file: file, management_account_id: managementAccount = '' } = organization;
  if (file === undefined) {
    const region = organization.management_account_region ?? 'us-west-2';
    return { managementAccount, region, role: organization.assume_org_role ?? '' };
  }
  try {
    await accountsInFile(file);
  } catch (error) {
    const message = (error as Error).message;
    throw new ConfigError([{ path: 'verify_organization.account_list_file', file, message }], { cause: error });
  }
  return { file };
}
