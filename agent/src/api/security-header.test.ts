import * as grpc from '@grpc/grpc-js';
import { Code } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { expect, it } from 'vitest';
import { securityHeader } from './security-header.ts';

/** Whether the handler runs, or the code of the refusal. */
async function verdict(service: typeof SpiffeWorkloadAPI | typeof healthV1.Health, values: readonly string[]) {
  const metadata = new grpc.Metadata();
  for (const value of values) metadata.add('workload.spiffe.io', value);
  const ctx = {
    method: '/x/y',
    signal: new AbortController().signal,
    peerKey: 'k',
    metadata,
    deadline: undefined,
    sendMetadata: () => {},
  };
  const [method] = service.methods;
  if (method === undefined) throw new Error('a service without methods');
  let ran = false;
  try {
    await securityHeader({ ctx, service, method, request: {} }, async () => {
      ran = true;
    });
  } catch (error) {
    expect(ran).toBe(false);
    return (error as { code: number }).code;
  }
  return ran;
}

it('lets only the one exact value pass, before the handler runs', async () => {
  expect(await verdict(SpiffeWorkloadAPI, ['true'])).toBe(true);
  for (const values of [[], ['True'], [''], ['true, true'], ['true', 'true'], ['true', 'false'], ['1']]) {
    expect(await verdict(SpiffeWorkloadAPI, values)).toBe(Code.INVALID_ARGUMENT);
  }
});

it('is not asked of the other services', async () => {
  expect(await verdict(healthV1.Health, [])).toBe(true);
});
