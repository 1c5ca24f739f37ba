import { IssuerError } from '@steeple/core';
import type { SpiffeId } from '@steeple/spiffe';
import type { NodeVerifierHost } from '../../plugin.ts';

/**
 * A node that has an agent already costs the provider no questions.
 *
 * @throws {IssuerError} `permission-denied`, as the server would when it writes the agent
 */
export async function requireFirstUse(agents: NodeVerifierHost['agents'], id: SpiffeId): Promise<void> {
  if ((await agents?.get(id)) === undefined) return;
  throw new IssuerError('permission-denied', 'attestation data has already been used to attest an agent');
}
