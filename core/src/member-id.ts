import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { isAgentPath, isReservedPath } from './agent-id.ts';
import { IssuerError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Requires an id of this trust domain that is not the trust domain itself. Throws `invalid-argument`. */
export function requireMember(id: SpiffeId, trustDomain: TrustDomain): void {
  const text = id.toString();
  if (text.length > LIMITS.spiffeIdBytes) refuse(`SPIFFE ID is longer than ${LIMITS.spiffeIdBytes} bytes`);
  const notMember = `"${text}" is not a member of trust domain "${trustDomain.name}"`;
  if (!id.memberOf(trustDomain)) refuse(notMember);
  if (id.path === '') refuse(`${notMember}; path is empty`);
}

/** Requires a member outside the issuer's own namespace. Throws `invalid-argument`. */
export function requireWorkload(id: SpiffeId, trustDomain: TrustDomain): void {
  requireMember(id, trustDomain);
  if (!isReservedPath(id.path)) return;
  refuse(
    `"${id.toString()}" is not a workload in trust domain "${trustDomain.name}"; path is in the reserved namespace`,
  );
}

/** Requires a member below `/spire/agent`. Throws `invalid-argument`. */
export function requireAgent(id: SpiffeId, trustDomain: TrustDomain): void {
  requireMember(id, trustDomain);
  if (isAgentPath(id.path)) return;
  refuse(
    `"${id.toString()}" is not an agent in trust domain "${trustDomain.name}"; path is not in the agent namespace`,
  );
}

function refuse(message: string): never {
  throw new IssuerError('invalid-argument', message);
}
