import { healthV1 } from '@steeple/proto/infra';
import type { Call } from './call.ts';
import { errorText, Told } from './command-error.ts';
import { boolFlag } from './go/flag-kind.ts';
import type { FlagSpec } from './go/flag-set.ts';
import { quote } from './go/quote.ts';

export const healthFlags: readonly FlagSpec[] = [
  { name: 'shallow', kind: boolFlag, usage: 'Perform a less stringent health check' },
  { name: 'verbose', kind: boolFlag, usage: 'Print verbose information' },
];

const ServingStatus = healthV1.HealthCheckResponse_ServingStatus;

/** Asks whoever listens whether it serves. @throws {Told} when it does not */
export async function healthcheck(call: Call, name: 'server' | 'agent', prefix: string): Promise<void> {
  const verbose = call.flags.isOn('verbose');
  if (verbose) call.line(`Checking ${name} health...`);
  const answer = await call
    .client(healthV1.Health)
    .check({})
    .catch((error: unknown) => {
      const more = verbose ? `Failed to check health: ${errorText(error)}\n` : '';
      throw new Told(`${more}${opening(name)}${prefix}unable to determine health\n`, { cause: error });
    });
  if (answer.status !== ServingStatus.SERVING) {
    const named = Object.entries(ServingStatus).find(([, value]) => value === answer.status);
    const status = named?.[0] ?? String(answer.status);
    throw new Told(`${opening(name)}${prefix}${name} returned status ${quote(status)}\n`);
  }
  call.line(name === 'server' ? 'Server is healthy.' : 'Agent is healthy.');
}

/** Only the server's commands open all their errors alike. */
const opening = (name: 'server' | 'agent'): string => (name === 'server' ? 'Error: ' : '');
