import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { peerOf } from './peer-for-tests.ts';
import type { WorkloadAttestor } from './workload-attestor.ts';

/** Bytes that an attestation may leave behind, on average; what one takes while it runs is some thousands. */
const SLACK = 100;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const descriptors = () => readdirSync('/proc/self/fd').length;

/** Attests a process many times, eight at once, and finds as much memory in use and as many descriptors open as before. */
export async function leavesNothingBehind(attestor: WorkloadAttestor, pid: number, times = 5000): Promise<void> {
  const attest = async (count: number): Promise<void> => {
    const lane = async () => {
      for (let call = 0; call < count / 8; call++) {
        // Every other one is given up at once, as by a caller that left.
        const limit = new AbortController();
        const attested = attestor.attest(peerOf(pid), limit.signal);
        if (call % 2 === 1) limit.abort(new Error('the caller left'));
        await attested.catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  };
  await attest(1000);
  const before = { heap: heap(), descriptors: descriptors() };
  await attest(times);
  // What was given up may still be on its way.
  await expect.poll(descriptors).toBeLessThanOrEqual(before.descriptors + 2);
  expect(heap() - before.heap).toBeLessThan(times * SLACK + 1_000_000);
}
