import { createPublicKey } from 'node:crypto';
import { credentials } from '@grpc/grpc-js';
import { type AuthoritySlot, IssuerError } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import { type HealthCheck, passesIf } from '@steeple/daemon/health';
import { createClient } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';
import { generateKey, SpiffeId, spkiOf, type TrustDomain } from '@steeple/spiffe';

/** Seconds that the server may take to answer itself. */
const ANSWER = 10;
/** An authority is replaced when a sixth of its life is left; with less than this share left something is wrong. */
const OVERDUE = 1 / 12;

export interface HealthCheckParts {
  readonly trustDomain: TrustDomain;
  readonly socketPath: string;
  readonly ca: { signX509(want: { id: SpiffeId; spki: Uint8Array }): Promise<unknown> };
  readonly rotation: { state(kind: 'x509'): { readonly active?: AuthoritySlot | undefined } };
  readonly bundles: { count(): Promise<number> };
  readonly clock: Clock;
}

/** The parts of a server that decide on its health, under SPIRE's names; each is tried and not only looked at. */
export const serverHealthChecks = (parts: HealthCheckParts): Record<string, HealthCheck> => {
  const spki = spkiOf(createPublicKey(generateKey('ec-p256')));
  const id = SpiffeId.fromSegments(parts.trustDomain, 'for', 'health', 'check', 'only');
  return {
    server: passesIf('get_bundle_err', (signal) => answers(parts.socketPath, signal)),
    'server.ca': passesIf('sign_x509_svid_err', () => parts.ca.signX509({ id, spki })),
    'server.ca.rotator': passesIf('rotation_err', async () => requireFresh(parts)),
    'catalog.datastore': passesIf('list_bundle_err', () => parts.bundles.count()),
  };
};

/** Asks over the admin socket, as anybody else would. */
const answers = async (socketPath: string, signal: AbortSignal): Promise<void> => {
  const client = createClient(healthV1.Health, {
    address: `unix:${socketPath}`,
    credentials: credentials.createInsecure(),
  });
  try {
    await client.check({}, { deadline: ANSWER, signal });
  } finally {
    client.close();
  }
};

const requireFresh = ({ rotation, clock }: HealthCheckParts): void => {
  const { active } = rotation.state('x509');
  if (active === undefined) throw new IssuerError('unavailable', 'there is no active X.509 authority');
  const left = active.notAfter - clock.now();
  if (left > (active.notAfter - active.issuedAt) * OVERDUE) return;
  throw new IssuerError('unavailable', 'the active X.509 authority should have been replaced by now');
};
