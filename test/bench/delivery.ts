// How long a workload waits: for a new entry, for its first SVID, for a change among a thousand streams.
import { credentials } from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { SpiffeId } from '@steeple/spiffe';
import type { Stack } from '../stack/stack.ts';
import { type Figure, milliseconds, percentile, residentMiB } from './figures.ts';

const metadata = { 'workload.spiffe.io': 'true' };
const insecure = credentials.createInsecure();
const now = (): number => performance.now() / 1000;

export interface Delivery {
  create(path: string): Promise<string>;
  remove(id: string): Promise<void>;
}

export function entriesOf(stack: Stack): Delivery {
  const client = createClient(entryV1.Entry, { address: `unix:${stack.adminSocket}`, credentials: insecure });
  const parent = SpiffeId.parse(stack.agentId);
  const trustDomain = parent.trustDomain.name;
  return {
    async create(path) {
      const entry = {
        spiffeId: { trustDomain, path },
        parentId: { trustDomain, path: parent.path },
        selectors: [{ type: 'unix', value: `uid:${process.getuid?.() ?? 0}` }],
      };
      const { results } = await client.batchCreateEntry({ entries: [entry] });
      if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
      return results[0].entry?.id ?? '';
    },
    async remove(id) {
      await client.batchDeleteEntry({ ids: [id] });
    },
  };
}

const workloadClient = (stack: Stack, separate = false) =>
  createClient(SpiffeWorkloadAPI, {
    address: `unix:${stack.workloadSocket}`,
    credentials: insecure,
    // A pool of its own: a connection of its own, as another process would have.
    options: separate ? { 'grpc.use_local_subchannel_pool': 1 } : {},
  });

/** A stream that knows when each SPIFFE ID first arrived. */
class Waiting {
  readonly #waiters = new Map<string, (at: number) => void>();
  readonly #stop = new AbortController();
  readonly ended: Promise<void>;

  constructor(stack: Stack) {
    this.ended = this.#read(workloadClient(stack));
  }

  arrival(id: string): Promise<number> {
    return new Promise((arrived) => this.#waiters.set(id, arrived));
  }

  stop(): void {
    this.#stop.abort();
  }

  async #read(client: ReturnType<typeof workloadClient>): Promise<void> {
    try {
      for await (const { svids } of client.fetchX509SVID({}, { metadata, signal: this.#stop.signal })) {
        const at = now();
        for (const { spiffeId } of svids) {
          this.#waiters.get(spiffeId)?.(at);
          this.#waiters.delete(spiffeId);
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}

export async function entryToWorkload(stack: Stack, entries: Delivery, rounds: number): Promise<Figure> {
  const waiting = new Waiting(stack);
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const path = `/delivery/${round}`;
    const arrival = waiting.arrival(`spiffe://${stack.trustDomain}${path}`);
    const start = now();
    const id = await entries.create(path);
    took.push((await arrival) - start);
    await entries.remove(id);
  }
  waiting.stop();
  return {
    what: `entry created → SVID in a waiting workload's hand, ${rounds} rounds`,
    value: `p50 ${milliseconds(percentile(took, 0.5))}, p99 ${milliseconds(percentile(took, 0.99))}`,
    against: 'aim p99 50 ms (SPIRE 1.15.3 polls: p50 5.3 s, p99 9.4 s)',
  };
}

export async function firstSvid(stack: Stack, rounds: number): Promise<Figure> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const client = workloadClient(stack, true);
    const start = now();
    for await (const _ of client.fetchX509SVID({}, { metadata })) break;
    took.push(now() - start);
    client.close();
  }
  return {
    what: `first SVID on a fresh connection and stream, ${rounds} rounds`,
    value: `p50 ${milliseconds(percentile(took, 0.5))}, p99 ${milliseconds(percentile(took, 0.99))}`,
    against: 'warm cache; attestation of the caller included',
  };
}

export async function thousandStreams(stack: Stack, entries: Delivery, count: number): Promise<Figure[]> {
  const pid = stack.agent.child.pid ?? 0;
  const before = residentMiB(pid);
  const stop = new AbortController();
  const seen = new Map<string, number[]>();
  let open = 0;
  const start = now();
  const streams = Array.from({ length: count }, async () => {
    let first = true;
    const client = workloadClient(stack, true);
    try {
      for await (const { svids } of client.fetchX509SVID({}, { metadata, signal: stop.signal })) {
        const at = now();
        if (first) open += 1;
        first = false;
        for (const { spiffeId } of svids) seen.set(spiffeId, [...(seen.get(spiffeId) ?? []), at]);
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      client.close();
    }
  });
  const failed = Promise.all(streams);
  failed.catch(() => {});
  const until = async (what: () => boolean): Promise<void> => {
    while (!what()) await Promise.race([failed, new Promise((done) => setTimeout(done, 5))]);
  };
  await until(() => open === count);
  const opened = now() - start;
  const loaded = residentMiB(pid);
  const id = `spiffe://${stack.trustDomain}/streams`;
  const changed = now();
  await entries.create('/streams');
  await until(() => (seen.get(id)?.length ?? 0) >= count);
  const reached = (seen.get(id) ?? []).map((at) => at - changed);
  stop.abort();
  await failed;
  return [
    {
      what: `${count} Workload API streams opened in the same instant, each on its own connection`,
      value: `all served after ${milliseconds(opened)}; agent ${Math.round(before)} → ${Math.round(loaded)} MiB`,
      against: 'SPIRE 1.15.3 serves 248 of 1,000 and hangs',
    },
    {
      what: `a change reaches all ${count}`,
      value: `first after ${milliseconds(Math.min(...reached))}, last after ${milliseconds(Math.max(...reached))}`,
      against: 'SPIRE 1.15.3: 2.5 s',
    },
  ];
}
