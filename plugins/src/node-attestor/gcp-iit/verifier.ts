import { dedupeSelectors, IssuerError } from '@steeple/core';
import type { ForeignToken, SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { NodeVerifierHost } from '../../plugin.ts';
import type { AgentPathTemplate, TemplateFields } from '../agent-path-template.ts';
import { requireFirstUse } from '../cloud/first-use.ts';
import type { SigningKeys } from '../cloud/signing-keys.ts';
import { within } from '../cloud/within.ts';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import { type ComputeInstanceOptions, instanceSelectorValues } from './compute-instance.ts';
import { type InstanceClaims, instanceOf, readToken } from './identity-token.ts';

const TYPE = 'gcp_iit';
/** Seconds for all that Google is asked about one instance. */
const TIME_LIMIT = 30;

export const PATH_FIELDS: TemplateFields = {
  PluginName: 'text',
  TrustDomain: 'text',
  ProjectID: 'text',
  ProjectNumber: 'text',
  Zone: 'text',
  InstanceID: 'text',
  InstanceName: 'text',
  InstanceCreationTimestamp: 'text',
  ServiceAccount: 'text',
};

export interface GcpIitVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly agents: NodeVerifierHost['agents'];
  readonly keys: SigningKeys;
  readonly projects: ReadonlySet<string>;
  readonly agentPath: AgentPathTemplate;
  /** Absent: only what the token says. */
  readonly compute: ComputeInstanceOptions | undefined;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Server's half: believes an instance identity token that Google signed, of allowed projects, once for each instance. */
export class GcpIitVerifier implements NodeVerifier {
  readonly type = TYPE;
  readonly #options: GcpIitVerifierOptions;

  constructor(options: GcpIitVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, _channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const token = readToken(payload);
    signal.throwIfAborted();
    return await within(TIME_LIMIT, signal, (during) => this.#judge(token, during));
  }

  async #judge(token: ForeignToken, signal: AbortSignal): Promise<VerifiedNode> {
    const { keys, projects, compute, now } = this.#options;
    const key = await keys.key(token.kid ?? '', signal);
    if (key === undefined || !token.isSignedBy(key)) {
      throw new IssuerError('invalid-argument', 'gcp_iit: failed to validate the identity token signature');
    }
    const claims = instanceOf(token.claims, now());
    if (!projects.has(claims.projectId)) {
      const message = `identity token project ID "${claims.projectId}" is not in the allow list`;
      throw new IssuerError('permission-denied', message);
    }
    const agentId = this.#agentId(claims);
    await requireFirstUse(this.#options.agents, agentId);
    const more = compute === undefined ? [] : await instanceSelectorValues(compute, claims, signal);
    const values = [
      `project-id:${claims.projectId}`,
      `zone:${claims.zone}`,
      `instance-name:${claims.instanceName}`,
      `sa:${claims.email}`,
      ...more,
    ];
    const selectors = dedupeSelectors(values.map((value) => ({ type: TYPE, value })));
    return { agentId, selectors, canReattest: false };
  }

  #agentId(claims: InstanceClaims): SpiffeId {
    const { trustDomain, agentPath } = this.#options;
    const facts = {
      PluginName: TYPE,
      TrustDomain: trustDomain.name,
      ProjectID: claims.projectId,
      ProjectNumber: claims.projectNumber,
      Zone: claims.zone,
      InstanceID: claims.instanceId,
      InstanceName: claims.instanceName,
      InstanceCreationTimestamp: claims.createdAt,
      ServiceAccount: claims.email.replaceAll('@', '_'),
    };
    return agentPath.agentId(trustDomain, facts, 'gcp_iit: the instance');
  }
}
