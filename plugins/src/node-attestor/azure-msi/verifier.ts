import { dedupeSelectors, IssuerError } from '@steeple/core';
import type { ForeignToken, TrustDomain } from '@steeple/spiffe';
import type { NodeVerifierHost } from '../../plugin.ts';
import type { AgentPathTemplate, TemplateFields } from '../agent-path-template.ts';
import type { AzureApi } from '../azure-imds/azure-api.ts';
import { requireFirstUse } from '../cloud/first-use.ts';
import type { SigningKeys } from '../cloud/signing-keys.ts';
import { within } from '../cloud/within.ts';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import { principalOf, readPayload, requireFor } from './principal.ts';
import { principalSelectors } from './principal-machine.ts';

const TYPE = 'azure_msi';
/** Seconds for all that Azure is asked about one machine. */
const TIME_LIMIT = 60;

export const PATH_FIELDS: TemplateFields = {
  PluginName: 'text',
  TrustDomain: 'text',
  TenantID: 'text',
  PrincipalID: 'text',
};

/** A tenant whose machines may attest. */
export interface MsiTenant {
  /** Whom the tokens are for. */
  readonly resourceId: string;
  readonly api: AzureApi;
  /** Where its machines are looked for. */
  readonly subscription: (signal: AbortSignal) => Promise<string>;
}

export interface AzureMsiVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly agents: NodeVerifierHost['agents'];
  readonly keys: SigningKeys;
  /** By tenant ID, lower case. */
  readonly tenants: ReadonlyMap<string, MsiTenant>;
  readonly agentPath: AgentPathTemplate;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Server's half: believes a token of a machine's managed identity, once for each, and asks Azure about the machine. */
export class AzureMsiVerifier implements NodeVerifier {
  readonly type = TYPE;
  readonly #options: AzureMsiVerifierOptions;

  constructor(options: AzureMsiVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, _channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const token = readPayload(payload);
    signal.throwIfAborted();
    return await within(TIME_LIMIT, signal, (during) => this.#judge(token, during));
  }

  async #judge(token: ForeignToken, signal: AbortSignal): Promise<VerifiedNode> {
    const { keys, tenants, trustDomain, agentPath, now } = this.#options;
    const key = await keys.key(token.kid ?? '', signal);
    if (key === undefined || !token.isSignedBy(key)) {
      throw new IssuerError('invalid-argument', 'azure_msi: unable to verify token');
    }
    const { tenantId, principalId } = principalOf(token.claims);
    const tenant = tenants.get(tenantId.toLowerCase());
    if (tenant === undefined) throw new IssuerError('permission-denied', `tenant "${tenantId}" is not authorized`);
    requireFor(token.claims, tenant.resourceId, now());
    const facts = { PluginName: TYPE, TrustDomain: trustDomain.name, TenantID: tenantId, PrincipalID: principalId };
    const agentId = agentPath.agentId(trustDomain, facts, 'azure_msi: the identity');
    await requireFirstUse(this.#options.agents, agentId);
    const values = await principalSelectors(tenant.api, await tenant.subscription(signal), principalId, signal);
    const selectors = dedupeSelectors(values.toSorted().map((value) => ({ type: TYPE, value })));
    return { agentId, selectors, canReattest: false };
  }
}
