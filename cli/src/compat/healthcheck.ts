import { healthV1 } from '@steeple/proto/infra';
import type { Call } from './call.ts';
import { CommandError, errorText } from './command-error.ts';
import { boolFlag } from './go/flag-kind.ts';
import type { FlagSpec } from './go/flag-set.ts';
import { quote } from './go/quote.ts';

export const healthFlags: readonly FlagSpec[] = [
  { name: 'shallow', kind: boolFlag, usage: 'Perform a less stringent health check' },
  { name: 'verbose', kind: boolFlag, usage: 'Print verbose information' },
];

const ServingStatus = healthV1.HealthCheckResponse_ServingStatus;

/** Asks whoever listens whether it serves. @throws {CommandError} when it does not */
export async function healthcheck(call: Call, name: 'server' | 'agent'): Promise<void> {
  const verbose = call.flags.isOn('verbose');
  if (verbose) call.line(`Checking ${name} health...`);
  const answer = await call
    .client(healthV1.Health)
    .check({})
    .catch((cause: unknown) => {
      if (verbose) call.io.err(`Failed to check health: ${errorText(cause)}\n`);
      throw new CommandError('unable to determine health', { cause });
    });
  if (answer.status === ServingStatus.SERVING) return;
  const named = Object.entries(ServingStatus).find(([, value]) => value === answer.status);
  throw new CommandError(`${name} returned status ${quote(named?.[0] ?? String(answer.status))}`);
}
