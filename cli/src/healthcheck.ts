import { healthV1 } from '@steeple/proto/infra';
import { withClient } from './connect.ts';
import { UserError } from './exit.ts';
import type { CliContext } from './verb.ts';
import { securityHeader } from './workload-client.ts';

/** Succeeds when whoever listens on the socket says that it serves. */
export async function healthcheck(name: string, socket: string, context: CliContext): Promise<void> {
  const { status } = await withClient(healthV1.Health, socket, (client) =>
    client.check({ service: '' }, { metadata: securityHeader, deadline: 5, signal: context.signal }),
  );
  if (status !== healthV1.HealthCheckResponse_ServingStatus.SERVING)
    throw new UserError(`the ${name} is not healthy`, 'its log says why');
  context.out(`the ${name} is healthy`);
}
