import { accountsInFile, organizationAccounts } from './account-list.ts';
import type { AwsClient } from './aws-client.ts';
import { clusterNodes } from './cluster-nodes.ts';
import { MemberList } from './member-list.ts';
import { remember } from './remember.ts';
import { type AwsIidVerifierOptions, type Membership, placeOf, refuseStranger, roleArn } from './verifier.ts';

/** Seconds that the list of a cluster's nodes is kept, as SPIRE keeps it. */
const CLUSTER_TTL = 30;

export interface OrganizationSettings {
  readonly managementAccount: string;
  readonly region: string;
  readonly role: string;
}

type Common = Pick<AwsIidVerifierOptions, 'client' | 'partition' | 'assumeRole'> & { readonly now: () => number };

/** The instance's account is an active one of the organization, or stands in a file. `ttl` in seconds. */
export function organizationMembership(
  source: OrganizationSettings | { readonly file: string },
  ttl: number,
  { client, partition, now }: Common,
): Membership {
  const read = 'file' in source ? () => accountsInFile(source.file) : readAccounts(source, client, partition);
  const accounts = new MemberList(read, ttl, now);
  return {
    async requireMember({ accountId }, signal) {
      if (await accounts.has(accountId, signal)) return;
      refuseStranger(`account ${accountId} is no active one of the configured organization`);
    },
  };
}

/** The instance is a node of one of these EKS clusters. */
export function clusterMembership(clusters: readonly string[], common: Common): Membership {
  // A cluster's name is one of an account and region.
  const lists = new Map<string, MemberList>();
  return {
    async requireMember(document, signal) {
      const place = placeOf(common, document);
      const key = `${document.accountId}@${document.region}`;
      const fresh = () =>
        new MemberList((during) => clusterNodes(common.client, place, clusters, during), CLUSTER_TTL, common.now);
      const list = remember(lists, key, lists.get(key) ?? fresh());
      if (await list.has(document.instanceId, signal)) return;
      refuseStranger('the instance is no node of the configured EKS clusters');
    },
  };
}

function readAccounts(
  { managementAccount, region, role }: OrganizationSettings,
  client: AwsClient,
  partition: AwsIidVerifierOptions['partition'],
) {
  const place = { region, role: roleArn(partition, managementAccount, role) };
  return (signal: AbortSignal) => organizationAccounts(client, place, signal);
}
