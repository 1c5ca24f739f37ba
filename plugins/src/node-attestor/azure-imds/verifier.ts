import { timingSafeEqual } from 'node:crypto';
import { dedupeSelectors, IssuerError } from '@steeple/core';
import type { TrustDomain } from '@steeple/spiffe';
import type { NodeVerifierHost } from '../../plugin.ts';
import type { AgentPathTemplate, TemplateFields } from '../agent-path-template.ts';
import { requireFirstUse } from '../cloud/first-use.ts';
import { within } from '../cloud/within.ts';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import type { AzureApi } from './azure-api.ts';
import type { AzureTokens } from './azure-tokens.ts';
import type { DocumentTrust } from './document-trust.ts';
import { type AttestedContent, type ImdsResponse, nonceOf, OPENING, parseContent, parseResponse } from './messages.ts';
import { findInScaleSet, findMachine, type VirtualMachine } from './virtual-machine.ts';

const TYPE = 'azure_imds';
/** Seconds for all that Azure is asked about one machine. */
const TIME_LIMIT = 60;

export const PATH_FIELDS: TemplateFields = {
  PluginName: 'text',
  TrustDomain: 'text',
  TenantID: 'text',
  SubscriptionID: 'text',
  VMID: 'text',
};

/** A tenant whose machines may attest. */
export interface AzureTenant {
  readonly tokens: AzureTokens;
  readonly api: AzureApi;
  /** Lower case; empty = every subscription that the tenant's credentials see. */
  readonly subscriptions: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

export interface AzureImdsVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly agents: NodeVerifierHost['agents'];
  readonly trust: DocumentTrust;
  /** By the domain that agents give. */
  readonly tenants: ReadonlyMap<string, AzureTenant>;
  readonly agentPath: AgentPathTemplate;
  readonly random: (bytes: number) => Uint8Array;
}

/** Server's half: believes a document that Azure signed for this challenge, once for each machine, and asks Azure about it. */
export class AzureImdsVerifier implements NodeVerifier {
  readonly type = TYPE;
  readonly #options: AzureImdsVerifierOptions;

  constructor(options: AzureImdsVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    if (!Buffer.from(OPENING).equals(payload)) throw malformed('unexpected opening of the attestation');
    signal.throwIfAborted();
    const nonce = nonceOf(this.#options.random);
    await channel.send(Buffer.from(nonce));
    const response = parseResponse(await channel.receive());
    signal.throwIfAborted();
    return await within(TIME_LIMIT, signal, (during) => this.#judge(response, nonce, during));
  }

  async #judge(
    { signature, agentDomain, vmssName }: ImdsResponse,
    nonce: string,
    signal: AbortSignal,
  ): Promise<VerifiedNode> {
    const document = parseContent(await this.#options.trust.judge(signature, signal));
    if (!isSame(document.nonce, nonce)) throw malformed('nonce mismatch');
    const tenant = this.#tenantOf(agentDomain, document);
    const agentId = await this.#agentId(tenant, document, signal);
    await requireFirstUse(this.#options.agents, agentId);
    const machine =
      vmssName === undefined
        ? await findMachine(tenant.api, document, signal)
        : await findInScaleSet(tenant.api, document, vmssName, signal);
    return { agentId, selectors: selectorsOf(document, machine, tenant, vmssName), canReattest: false };
  }

  #tenantOf(domain: string, { subscriptionId }: AttestedContent): AzureTenant {
    const tenant = this.#options.tenants.get(domain);
    if (tenant === undefined) throw new IssuerError('permission-denied', 'azure_imds: the tenant is not authorized');
    if (tenant.subscriptions.size === 0 || tenant.subscriptions.has(subscriptionId.toLowerCase())) return tenant;
    throw new IssuerError('permission-denied', `azure_imds: subscription "${subscriptionId}" is not authorized`);
  }

  async #agentId(tenant: AzureTenant, { vmId, subscriptionId }: AttestedContent, signal: AbortSignal) {
    const { trustDomain, agentPath } = this.#options;
    const facts = {
      PluginName: TYPE,
      TrustDomain: trustDomain.name,
      TenantID: await tenant.tokens.tenantId(signal),
      SubscriptionID: subscriptionId,
      VMID: vmId,
    };
    return agentPath.agentId(trustDomain, facts, 'azure_imds: the machine');
  }
}

function selectorsOf(
  { subscriptionId }: AttestedContent,
  machine: VirtualMachine,
  { tags }: AzureTenant,
  vmssName: string | undefined,
) {
  const values = [
    `subscription-id:${subscriptionId}`,
    `vm-name:${machine.name}`,
    `vm-location:${machine.location}`,
    `resource-group:${machine.resourceGroup}`,
    ...(vmssName === undefined ? [] : [`vmss-name:${vmssName}`]),
    ...[...machine.tags].flatMap(([key, value]) => (tags.has(key) ? `vm-tag:${key}:${value}` : [])),
    ...machine.securityGroups.map(({ resourceGroup, name }) => `network-security-group:${resourceGroup}:${name}`),
    ...machine.subnets.flatMap(({ network, name }) => [
      `virtual-network:${network}`,
      `virtual-network-subnet:${network}:${name}`,
    ]),
  ];
  return dedupeSelectors(values.toSorted().map((value) => ({ type: TYPE, value })));
}

function isSame(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function malformed(message: string): IssuerError {
  return new IssuerError('invalid-argument', `azure_imds: ${message}`);
}
