import type { ServiceClient } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { withClient, workloadSocket } from './connect.ts';
import { text } from './flags.ts';
import type { CliContext, Options } from './verb.ts';

/** The mandatory header of SPIFFE Workload Endpoint, section 3. */
export const securityHeader = { 'workload.spiffe.io': 'true' } as const;

/** Calls the Workload API as this process. */
export function onWorkloadApi<T>(
  options: Options,
  context: CliContext,
  use: (client: ServiceClient<typeof SpiffeWorkloadAPI>) => Promise<T>,
): Promise<T> {
  return withClient(SpiffeWorkloadAPI, workloadSocket(text(options, 'socket'), context.env), use);
}

/** The first message of a stream that is otherwise kept open. */
export async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new Error('the stream ended without a message');
}
