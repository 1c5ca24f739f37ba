import { parseSelector } from '@steeple/core';
import type { CallContext } from '@steeple/proto/grpc';
import { Code } from '@steeple/proto/grpc';
import { X509SVIDResponseSchema } from '@steeple/proto/workload';
import { FakeClock, TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { IdentityCache } from '../app/identity-cache.ts';
import { noIdentity } from '../app/no-identity.ts';
import type { Callers } from './callers.ts';
import { WorkloadCalls } from './workload-calls.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });

/** Calls of one process, about which these attestors could say nothing. */
function callsOf(failed: readonly string[]): { readonly calls: WorkloadCalls; readonly ctx: CallContext } {
  const cache = new IdentityCache(domain.trustDomain, clock.now);
  cache.apply({ bundles: [domain.bundle] });
  cache.markSynced();
  const { signal } = new AbortController();
  const attest = async () => ({ selectors: [parseSelector('unix:uid:1')], failed, signal, release: () => {} });
  return { calls: new WorkloadCalls({ cache, callers: { attest } as unknown as Callers }), ctx: {} as CallContext };
}

async function refusals(failed: readonly string[]): Promise<unknown[]> {
  const { calls, ctx } = callsOf(failed);
  const stream = calls.stream(X509SVIDResponseSchema, ctx, {
    project: (view) => {
      calls.requireEntries(view);
      return undefined;
    },
  });
  const answer = calls.answer(ctx, (view) => calls.requireEntries(view));
  return (await Promise.allSettled([stream.next(), answer])).map((each) => (each as PromiseRejectedResult).reason);
}

describe('a refusal', () => {
  it('says no more than that, where everything is known about the caller', async () => {
    for (const refusal of await refusals([])) {
      expect(refusal).toMatchObject({ code: Code.PERMISSION_DENIED, message: 'no identity issued' });
    }
  });

  it('names the attestors that failed, after the words that clients look for', async () => {
    for (const refusal of await refusals(['docker', 'systemd'])) {
      expect(refusal).toMatchObject({
        code: Code.PERMISSION_DENIED,
        message: 'no identity issued; the process could not be examined by: docker, systemd',
      });
    }
  });

  it('of another kind stays as it is', async () => {
    const { calls, ctx } = callsOf(['docker']);
    const other = new Error('other');
    await expect(calls.answer(ctx, () => Promise.reject(other))).rejects.toBe(other);
    const told = noIdentity(['x']);
    await expect(calls.answer(ctx, () => Promise.reject(told))).rejects.toBe(told);
  });
});
