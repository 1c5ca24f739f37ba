import type { CallOptions } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';

/** The mandatory header of SPIFFE Workload Endpoint, section 3, and the time that `-timeout` gives. */
export function workloadOptions(call: Call): CallOptions {
  const timeout = Number(call.flags.number('timeout')) / 1e9;
  return {
    metadata: { 'workload.spiffe.io': 'true' },
    signal: call.io.signal,
    ...(timeout > 0 && { deadline: timeout }),
  };
}

export const workloadApi = (call: Call) => call.client(SpiffeWorkloadAPI);

/** The first message of a stream. */
export async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new CommandError('EOF');
}
