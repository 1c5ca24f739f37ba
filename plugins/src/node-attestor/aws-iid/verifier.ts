import { dedupeSelectors, IssuerError } from '@steeple/core';
import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { NodeVerifierHost } from '../../plugin.ts';
import type { AgentPathTemplate, TemplateFields } from '../agent-path-template.ts';
import { requireFirstUse } from '../cloud/first-use.ts';
import { within } from '../cloud/within.ts';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import type { AwsClient, AwsPlace } from './aws-client.ts';
import type { DocumentTrust } from './document-trust.ts';
import { describeInstance, type Ec2Instance, requireUntouchedRootDevice, rolesOf } from './instance.ts';
import { type InstanceDocument, parsePayload } from './messages.ts';
import type { Partition } from './partition.ts';

const TYPE = 'aws_iid';
/** Seconds for all that AWS is asked about one instance. */
const TIME_LIMIT = 60;

export const PATH_FIELDS: TemplateFields = {
  PluginName: 'text',
  TrustDomain: 'text',
  AccountID: 'text',
  Region: 'text',
  InstanceID: 'text',
  Tags: 'map',
};

/** Whether an account, or an instance, belongs where it must. */
export interface Membership {
  requireMember(document: InstanceDocument, signal: AbortSignal): Promise<void>;
}

export interface AwsIidVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly agents: NodeVerifierHost['agents'];
  readonly trust: DocumentTrust;
  readonly client: AwsClient;
  readonly partition: Partition;
  /** Name of the role that the server assumes in the instance's account. */
  readonly assumeRole: string | undefined;
  readonly agentPath: AgentPathTemplate;
  /** The path is known only when EC2 has told the tags. */
  readonly pathNamesTags: boolean;
  readonly memberships: readonly Membership[];
  readonly skipBlockDevice: boolean;
  /** Accounts of which no look at the root volume is needed. */
  readonly localAccounts: ReadonlySet<string>;
  readonly profileSelectors: boolean;
}

/** Server's half: believes a document that AWS signed, once for each instance, and asks AWS what the instance is. */
export class AwsIidVerifier implements NodeVerifier {
  readonly type = TYPE;
  readonly #options: AwsIidVerifierOptions;

  constructor(options: AwsIidVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, _channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const document = this.#options.trust.judge(parsePayload(payload));
    signal.throwIfAborted();
    return await within(TIME_LIMIT, signal, (during) => this.#ask(document, during));
  }

  async #ask(document: InstanceDocument, signal: AbortSignal): Promise<VerifiedNode> {
    const { memberships, client, skipBlockDevice, localAccounts, pathNamesTags, agents } = this.#options;
    if (!pathNamesTags) await requireFirstUse(agents, this.#agentId(document));
    for (const membership of memberships) await membership.requireMember(document, signal);
    const place = placeOf(this.#options, document);
    const instance = await describeInstance(client, place, document.instanceId, signal);
    if (!skipBlockDevice && !localAccounts.has(document.accountId)) requireUntouchedRootDevice(instance);
    const agentId = this.#agentId(document, instance.tags);
    const roles = await this.#roles(instance, place, signal);
    return { agentId, selectors: selectorsOf(document, instance, roles), canReattest: false };
  }

  #agentId({ accountId, region, instanceId }: InstanceDocument, tags: Ec2Instance['tags'] = new Map()): SpiffeId {
    const { trustDomain, agentPath } = this.#options;
    const facts = {
      PluginName: TYPE,
      TrustDomain: trustDomain.name,
      AccountID: accountId,
      Region: region,
      InstanceID: instanceId,
      Tags: Object.fromEntries(tags),
    };
    return agentPath.agentId(trustDomain, facts, 'aws_iid: the instance');
  }

  async #roles({ profileArn }: Ec2Instance, place: AwsPlace, signal: AbortSignal): Promise<readonly string[]> {
    if (!this.#options.profileSelectors || profileArn === undefined) return [];
    return await rolesOf(this.#options.client, place, profileArn, signal);
  }
}

/** Where and as whom AWS is asked about an instance. */
export function placeOf(
  { partition, assumeRole }: Pick<AwsIidVerifierOptions, 'partition' | 'assumeRole'>,
  { accountId, region }: InstanceDocument,
): AwsPlace {
  return { region, role: assumeRole && roleArn(partition, accountId, assumeRole) };
}

export function roleArn(partition: Partition, accountId: string, role: string): string {
  return `arn:${partition}:iam::${accountId}:role/${role}`;
}

function selectorsOf(document: InstanceDocument, instance: Ec2Instance, roles: readonly string[]) {
  const values = [
    `account_id:${document.accountId}`,
    `az:${document.availabilityZone}`,
    `image:id:${document.imageId}`,
    `instance:id:${document.instanceId}`,
    `region:${document.region}`,
    ...roles.map((arn) => `iamrole:${arn}`),
    ...instance.securityGroups.flatMap(({ id, name }) => [`sg:id:${id}`, `sg:name:${name}`]),
    ...[...instance.tags].map(([key, value]) => `tag:${key}:${value}`),
  ];
  return dedupeSelectors(values.toSorted().map((value) => ({ type: TYPE, value })));
}

/** @throws {IssuerError} `permission-denied` */
export function refuseStranger(what: string): never {
  throw new IssuerError('permission-denied', `failed aws attestation: ${what}`);
}
