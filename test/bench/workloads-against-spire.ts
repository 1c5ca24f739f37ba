// What workloads and operators notice, measured with both makers' programs.
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, type Figure, milliseconds, percentile } from './figures.ts';
import { perUnit, spend } from './load.ts';
import { memoryOf, type Pair, pidOf, SELECTOR, workloadApi } from './sites.ts';

type Both<T> = readonly [ours: T, theirs: T];

const now = (): number => performance.now() / 1000;
const figure = (what: string, [ours, theirs]: Both<string>, against: string): Figure => ({
  what,
  value: `${ours} : ${theirs}`,
  against,
});

/** Measures one after the other, ours first. */
async function both<T>([ours, theirs]: Both<Pair>, measure: (pair: Pair) => Promise<T>): Promise<Both<T>> {
  return [await measure(ours), await measure(theirs)];
}

/** Memory of programs that have nothing to do; ask before anything else. */
export async function idleMemory(pairs: Both<Pair>): Promise<Figure[]> {
  await sleep(10_000);
  const row = async (name: 'server' | 'agent'): Promise<Figure> =>
    figure(
      `idle memory of the ${name}`,
      await both(pairs, async (pair) => `${Math.round(memoryOf(pair[name]))} MiB`),
      'resident, ten seconds after the start',
    );
  return [await row('server'), await row('agent')];
}

/** From a new entry to the SVID on a stream that waits. */
export async function propagation(pairs: Both<Pair>, rounds: number): Promise<Figure> {
  const texts = await both(pairs, async (pair) => {
    const took: number[] = [];
    for (let round = 0; round < rounds; round += 1) took.push(await propagate(pair, `/propagated/${round}`));
    return `p50 ${milliseconds(percentile(took, 0.5))}, longest ${milliseconds(Math.max(...took))}`;
  });
  return figure(
    `entry created → SVID on a waiting stream, ${rounds} rounds`,
    texts,
    'both with the settings they come with',
  );
}

async function propagate(pair: Pair, path: string): Promise<number> {
  const id = pair.server.id(path);
  const stop = new AbortController();
  const api = workloadApi(pair);
  try {
    const arrival = arrivalOf(id, api, stop.signal);
    const start = now();
    const entry = await pair.server.createEntry(id, pair.agent.id, [SELECTOR]);
    const took = (await arrival) - start;
    await pair.server.deleteEntry(entry.id);
    return took;
  } finally {
    stop.abort();
    api.close();
  }
}

/** A workload without identity is refused, and asks again. */
async function arrivalOf(id: string, api: ReturnType<typeof workloadApi>, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      for await (const { svids } of api.x509({ signal }))
        if (svids.some(({ spiffeId }) => spiffeId === id)) return now();
    } catch {
      signal.throwIfAborted();
    }
    await sleep(1);
  }
}

/** The first SVID of a stream; the agent's processor time for one. */
export async function fetching(pairs: Both<Pair>, seconds: number): Promise<Figure> {
  const texts = await both(pairs, async (pair) => {
    const lanes = Array.from({ length: 4 }, () => workloadApi(pair));
    const took: number[] = [];
    const call = async (lane: number): Promise<void> => {
      const start = now();
      for await (const _ of lanes[lane]?.x509() ?? []) break;
      took.push(now() - start);
    };
    await spend(pidOf(pair.agent), 1, { width: 4, units: 1, call });
    took.length = 0;
    const spent = await spend(pidOf(pair.agent), seconds, { width: 4, units: 1, call });
    for (const lane of lanes) lane.close();
    return `${Math.round(perUnit(spent) * 1e6)} µs, p50 ${milliseconds(percentile(took, 0.5))}`;
  });
  return figure('first SVID of a stream, 4 at a time', texts, "the agent's processor time, and how long it took");
}

/** Streams that stay open. SPIRE's agent serves no more than 248 of one process at once. */
export async function streams(pairs: Both<Pair>, count: number): Promise<Figure> {
  const texts = await both(pairs, async (pair) => {
    const before = memoryOf(pair.agent);
    const stop = new AbortController();
    const apis = Array.from({ length: count }, () => workloadApi(pair));
    const start = now();
    const readers = apis.map((api) => api.x509({ signal: stop.signal })[Symbol.asyncIterator]());
    await Promise.all(readers.map((reader) => reader.next()));
    const took = now() - start;
    const grown = memoryOf(pair.agent) - before;
    stop.abort();
    for (const api of apis) api.close();
    return `${milliseconds(took)}, ${Math.round((grown * 1024) / count)} KiB each`;
  });
  return figure(`${count} streams at once until all are served`, texts, "the agent's memory, with both ends open");
}

/** Many entries: how long the server takes, and what it grows by. */
export async function seeding(pairs: Both<Pair>, count: number): Promise<Figure> {
  const texts = await both(pairs, async ({ server }) => {
    const before = memoryOf(server);
    const start = now();
    const cpu = cpuSeconds(pidOf(server));
    await seed(server, count);
    const spent = cpuSeconds(pidOf(server)) - cpu;
    const took = now() - start;
    await sleep(6000);
    const grown = Math.round(memoryOf(server) - before);
    return `${took.toFixed(1)} s, ${Math.round((spent / count) * 1e6)} µs each, +${grown} MiB`;
  });
  return figure(
    `${count.toLocaleString('en')} entries created, 500 in a call`,
    texts,
    "the server's processor time and memory",
  );
}

async function seed(server: Pair['server'], count: number): Promise<void> {
  const { name: trustDomain } = server.trustDomain;
  for (let from = 0; from < count; from += 500) {
    const entries = Array.from({ length: Math.min(500, count - from) }, (_, index) => ({
      parentId: { trustDomain, path: '/seeded' },
      spiffeId: { trustDomain, path: `/seeded/${from + index}` },
      selectors: [{ type: 'unix', value: `uid:${200_000 + from + index}` }],
    }));
    const { results } = await server.api.entry.batchCreateEntry({ entries, outputMask: {} });
    if (results.some(({ status }) => status?.code !== 0)) throw new Error('an entry was refused');
  }
}
