import { SpiffeId, type TrustDomain } from '@steeple/spiffe';

/** Path of the server itself; as an entry's parent it makes the entry a node alias. */
export const SERVER_PATH = '/spire/server';

const AGENT_PREFIX = '/spire/agent/';

/** Whether a path names an agent. */
export function isAgentPath(path: string): boolean {
  return path.startsWith(AGENT_PREFIX) && path.length > AGENT_PREFIX.length;
}

/** Whether a path belongs to the issuer's own namespace, which no workload may have. */
export function isReservedPath(path: string): boolean {
  return path === '/spire' || path.startsWith('/spire/');
}

/** The id of an agent: `/spire/agent/<type>/<segments…>`. Throws `SpiffeError` for a segment that is not one. */
export function agentId(trustDomain: TrustDomain, type: string, ...segments: string[]): SpiffeId {
  return SpiffeId.fromSegments(trustDomain, 'spire', 'agent', type, ...segments);
}

/** The server's own id. */
export function serverId(trustDomain: TrustDomain): SpiffeId {
  return SpiffeId.of(trustDomain, SERVER_PATH);
}
