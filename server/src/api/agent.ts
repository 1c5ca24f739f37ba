import { IssuerError, requireAgent, requireWorkload } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { Handlers } from '@steeple/proto/grpc';
import type { agentV1 } from '@steeple/proto/server-api';
import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { Agents } from '../app/agents.ts';
import type { BundleDelivery } from '../app/bundle-delivery.ts';
import type { JoinTokens } from '../app/join-tokens.ts';
import type { NodeAttestation } from '../app/node-attestation.ts';
import { attestAgent } from './attest-agent.ts';
import { auditItem } from './audit.ts';
import { agentFilterFields, requestField } from './audit-fields.ts';
import { agentOf } from './caller.ts';
import { readAgentFilter, wireAgent } from './translate/agent.ts';
import { wireTime } from './translate/number.ts';
import { readPage } from './translate/page.ts';
import { prefixed, readId, type WireId } from './translate/spiffe-id.ts';
import { wireX509Svid } from './translate/svid.ts';

/** spire.api.server.agent.v1.Agent */
export const agentHandlers = (use: {
  trustDomain: TrustDomain;
  agents: Agents;
  attestation: NodeAttestation;
  joinTokens: JoinTokens;
  delivery: Pick<BundleDelivery, 'reported'>;
  clock: Clock;
}): Handlers<typeof agentV1.Agent> => ({
  attestAgent: attestAgent(use.attestation, use.clock),

  async renewAgent({ params }, ctx) {
    if (!params) throw new IssuerError('invalid-argument', 'params cannot be nil');
    const agent = agentOf(ctx);
    const told: Record<string, unknown> = { agent_id: agent.id.toString() };
    auditItem(ctx, () => ({ ...requestField(params.csr), ...told }));
    const svid = await use.attestation.renew(agent, params.csr);
    told['serial_num'] = svid.leaf.serialDecimal;
    return { svid: wireX509Svid(svid) };
  },

  async postStatus({ agentVersion, currentBundleSerial }, ctx) {
    const agent = agentOf(ctx);
    auditItem(ctx, { spiffe_id: agent.id.toString(), ...(agentVersion !== '' && { agent_version: agentVersion }) });
    await use.agents.setVersion(agent, agentVersion);
    // Agents of SPIRE never say; zero is no bundle.
    if (currentBundleSerial > 0n) use.delivery.reported(agent.id.toString(), currentBundleSerial);
    return {};
  },

  async countAgents({ filter }, ctx) {
    auditItem(ctx, () => agentFilterFields(filter));
    return { count: await use.agents.count(readAgentFilter(filter)) };
  },

  async listAgents(request, ctx) {
    auditItem(ctx, () => agentFilterFields(request.filter));
    const { items, nextToken } = await use.agents.list(readAgentFilter(request.filter), readPage(request));
    return { agents: items.map((agent) => wireAgent(agent, request.outputMask)), nextPageToken: nextToken };
  },

  async getAgent({ id, outputMask }, ctx) {
    const agentId = readAgentId(id, use.trustDomain);
    auditItem(ctx, { spiffe_id: agentId.toString() });
    return wireAgent(await use.agents.get(agentId), outputMask);
  },

  async deleteAgent({ id }, ctx) {
    const agentId = readAgentId(id, use.trustDomain);
    auditItem(ctx, { spiffe_id: agentId.toString() });
    await use.agents.evict(agentId);
    return {};
  },

  async banAgent({ id }, ctx) {
    const agentId = readAgentId(id, use.trustDomain);
    auditItem(ctx, { spiffe_id: agentId.toString() });
    await use.agents.ban(agentId);
    return {};
  },

  async createJoinToken({ ttl, token, agentId }, ctx) {
    const told: Record<string, unknown> = { ...(ttl > 0 && { ttl }) };
    auditItem(ctx, told);
    const nodeId = agentId && readNodeId(agentId, use.trustDomain);
    if (nodeId) told['spiffe_id'] = nodeId.toString();
    const made = await use.joinTokens.create(ttl, token, nodeId);
    return { value: made.token, expiresAt: wireTime(made.expiresAt) };
  },
});

const readAgentId = (wire: WireId | undefined, trustDomain: TrustDomain): SpiffeId =>
  prefixed('invalid agent ID', () => {
    const id = readId(wire);
    requireAgent(id, trustDomain);
    return id;
  });

const readNodeId = (wire: WireId, trustDomain: TrustDomain): SpiffeId =>
  prefixed('invalid agent ID', () => {
    const id = readId(wire);
    requireWorkload(id, trustDomain);
    return id;
  });
