import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { isAgentPath, isReservedPath } from './agent-id.ts';
import { IssuerError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Requires an id of this trust domain that is not the trust domain itself. Throws `invalid-argument`. */
export function requireMember(id: SpiffeId, trustDomain: TrustDomain): void {
  requireWithin(id, trustDomain);
  if (id.path === '') refuse(`${notMember(id, trustDomain)}; path is empty`);
}

/** Requires an id of this trust domain, or the trust domain's own. */
function requireWithin(id: SpiffeId, trustDomain: TrustDomain): void {
  if (id.toString().length > LIMITS.spiffeIdBytes) refuse(`SPIFFE ID is longer than ${LIMITS.spiffeIdBytes} bytes`);
  if (!id.memberOf(trustDomain)) refuse(notMember(id, trustDomain));
}

const notMember = (id: SpiffeId, trustDomain: TrustDomain): string =>
  `"${id.toString()}" is not a member of trust domain "${trustDomain.name}"`;

/** Requires a member outside the issuer's own namespace. Throws `invalid-argument`. */
export function requireWorkload(id: SpiffeId, trustDomain: TrustDomain): void {
  requireWithin(id, trustDomain);
  const notWorkload = `"${id.toString()}" is not a workload in trust domain "${trustDomain.name}"`;
  if (id.path === '') refuse(`${notWorkload}; path is empty`);
  if (isReservedPath(id.path)) refuse(`${notWorkload}; path is in the reserved namespace`);
}

/** Requires a member below `/spire/agent`. Throws `invalid-argument`. */
export function requireAgent(id: SpiffeId, trustDomain: TrustDomain): void {
  requireWithin(id, trustDomain);
  const notAgent = `"${id.toString()}" is not an agent in trust domain "${trustDomain.name}"`;
  if (id.path === '') refuse(`${notAgent}; path is empty`);
  if (!isAgentPath(id.path)) refuse(`${notAgent}; path is not in the agent namespace`);
}

function refuse(message: string): never {
  throw new IssuerError('invalid-argument', message);
}
