import { writeFile } from 'node:fs/promises';
import { KubernetesClient, kubeconfigAccess } from '@steeple/daemon/kubernetes';
import { FakeClock, MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeCluster } from '../../testing/fake-cluster.ts';
import { Lease } from './lease.ts';

let cluster: FakeCluster;
let dir: TempDir;
let clock: FakeClock;
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  dir = await tempDir();
  clock = new FakeClock();
  cluster = await FakeCluster.start();
  await writeFile(dir.join('kubeconfig'), cluster.kubeconfig);
});

afterEach(async () => {
  for (const stop of Array.from(stops)) await stop();
  await cluster[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

/** Everybody has finished what they do before the clock goes on. */
const passes = async (seconds: number): Promise<void> => {
  for (let at = 0; at <= seconds; at += 1) {
    while (clock.sleeping < stops.length) await new Promise((done) => setTimeout(done, 1));
    if (at < seconds) await clock.advance(1);
  }
};

const want = (identity: string) => {
  const client = new KubernetesClient({ access: kubeconfigAccess(dir.join('kubeconfig')), clock: new FakeClock() });
  const held: string[] = [];
  const parts = { client, clock, identity, logger: new MemoryLogger(), onHeld: () => held.push(identity) };
  const lease = new Lease({ namespace: 'ns', name: 'one' }, parts);
  const stop = new AbortController();
  const running = lease.run(stop.signal);
  const end = async () => {
    stops.splice(0, stops.length, ...stops.filter((one) => one !== end));
    stop.abort();
    await running;
    client.close();
  };
  stops.push(end);
  return { lease, held, end };
};
const holder = (): unknown =>
  (cluster.get('leases', 'one', 'ns')?.['spec'] as Record<string, unknown> | undefined)?.['holderIdentity'];
const isHeld = ({ lease }: { readonly lease: Lease }) => expect.poll(() => lease.isHeld(), { timeout: 5000 });

it('one of two holds it, renews it, and gives it back for the other', async () => {
  const a = want('a');
  await isHeld(a).toBe(true);
  const b = want('b');
  await passes(60);
  expect([a.lease.isHeld(), b.lease.isHeld(), holder()]).toEqual([true, false, 'a']);
  expect(a.held).toEqual(['a']);
  await a.end();
  expect([a.lease.isHeld(), holder()]).toEqual([false, '']);
  await passes(3);
  await isHeld(b).toBe(true);
  expect(b.held).toEqual(['b']);
});

it('a holder that cannot renew it stops before another takes it', async () => {
  const a = want('a');
  await isHeld(a).toBe(true);
  cluster.broken = true;
  await passes(9);
  expect(a.lease.isHeld()).toBe(true);
  await passes(2);
  expect(a.lease.isHeld()).toBe(false);
  cluster.broken = false;
  await passes(3);
  await isHeld(a).toBe(true);
});

it('a lease of somebody who is gone is taken when it was still for its duration, whatever its times say', async () => {
  const spec = { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2999-01-01T00:00:00.000000Z' };
  cluster.put('leases', { metadata: { name: 'one', namespace: 'ns' }, spec });
  const b = want('b');
  await passes(10);
  expect([b.lease.isHeld(), holder()]).toEqual([false, 'gone']);
  await passes(10);
  await isHeld(b).toBe(true);
  expect(cluster.get('leases', 'one', 'ns')?.['spec']).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});

it('of two that try at the same time one gets it', async () => {
  const all = ['a', 'b', 'c'].map(want);
  await passes(10);
  expect(all.filter(({ lease }) => lease.isHeld())).toHaveLength(1);
});
