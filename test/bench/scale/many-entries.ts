// `npm run bench -- --only scale`: a hundred thousand entries on a server, ten thousand on an agent.
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import type { Process } from '../../stack/process.ts';
import { Stack } from '../../stack/stack.ts';
import { entriesOf, entryToWorkload } from '../delivery.ts';
import { cpuSeconds, type Figure, perSecond, residentMiB } from '../figures.ts';
import { perUnit, type Spent, spend, unitRate } from '../load.ts';

const SERVER_ENTRIES = 100_000;
const AGENT_ENTRIES = 10_000;
const FEW = 50;
const PART = 10_000;
const IDLE = 30;

/** SPIRE 1.15.3 with as many entries in its file, on the machine of docs/benchmarks.md. */
const SPIRE = { idleCores: 0.17, residentMiB: '311 to 349' };

const pidOf = ({ child }: Process): number => child.pid ?? 0;
const microseconds = (spent: Spent): string => `${Math.round(perUnit(spent) * 1e6)} µs`;

type Entries = ServiceClient<typeof entryV1.Entry>;

/** Numbers entries from call to call. */
class Maker {
  readonly #client: Entries;
  readonly #parent: { trustDomain: string; path: string };
  #next = 0;

  constructor(client: Entries, trustDomain: string, path: string) {
    this.#client = client;
    this.#parent = { trustDomain, path };
  }

  async create(count: number): Promise<void> {
    const from = this.#next;
    this.#next += count;
    const { path, trustDomain } = this.#parent;
    const entries = Array.from({ length: count }, (_, index) => ({
      parentId: this.#parent,
      spiffeId: { trustDomain, path: `/many${path}/${from + index}` },
      selectors: [{ type: 'unix', value: `uid:${1_000_000 + from + index}` }],
    }));
    const { results } = await this.#client.batchCreateEntry({ entries, outputMask: {} });
    const refused = results.find(({ status }) => status?.code !== 0);
    if (refused) throw new Error(`refused: ${refused.status?.message}`);
  }

  /** Creates so many in calls of `batch`, and tells what the server spent. */
  async fill(pid: number, count: number, batch: number, width: number): Promise<Spent> {
    const last = this.#next + count;
    const lane = async (): Promise<void> => {
      while (this.#next < last) await this.create(Math.min(batch, last - this.#next));
    };
    const call = (): Promise<unknown> => Promise.all(Array.from({ length: width }, lane));
    return spend(pid, 0.001, { width: 1, units: count, call });
  }
}

async function creation(maker: Maker, pid: number): Promise<Figure[]> {
  const parts: Spent[] = [];
  for (let done = 0; done < SERVER_ENTRIES - PART; done += PART) parts.push(await maker.fill(pid, PART, 50, 4));
  const single = await maker.fill(pid, PART, 1, 50);
  const [first, last] = [parts[0] as Spent, parts.at(-1) as Spent];
  const rates = parts.map(unitRate);
  return [
    {
      what: `${SERVER_ENTRIES.toLocaleString('en')} entries under one parent, 4 calls of 50`,
      value: `${perSecond(Math.min(...rates))} to ${perSecond(Math.max(...rates))}; the last ${PART} cost ${(perUnit(last) / perUnit(first)).toFixed(2)} of the first: ${microseconds(last)} of CPU each`,
      against: 'aim 5,000/s and flat (SPIRE 1.15.3 falls to 75/s)',
    },
    {
      what: 'the same, 50 calls of one entry',
      value: `${perSecond(unitRate(single))}, ${microseconds(single)} of CPU each`,
      against: 'each call waits for the disk',
    },
  ];
}

async function idle(stack: Stack): Promise<Figure> {
  await stack.server.stop();
  const start = performance.now();
  await stack.startServer();
  const took = (performance.now() - start) / 1000;
  const pid = pidOf(stack.server);
  const cpu = cpuSeconds(pid);
  await sleep(IDLE * 1000);
  return {
    what: `a server with ${SERVER_ENTRIES.toLocaleString('en')} entries, started and idle`,
    value: `serves after ${took.toFixed(1)} s; ${((cpuSeconds(pid) - cpu) / IDLE).toFixed(4)} cores, ${Math.round(residentMiB(pid))} MiB`,
    against: `aim 0.01 cores and SPIRE's memory (${SPIRE.residentMiB} MiB, and ${SPIRE.idleCores} cores)`,
  };
}

/** Fills one agent and watches it keep up, and start again. */
async function manyOnAgent(stack: Stack, maker: Maker): Promise<Figure[]> {
  const agent = pidOf(stack.agent);
  const before = { cpu: cpuSeconds(agent), memory: residentMiB(agent) };
  const start = performance.now();
  await maker.fill(pidOf(stack.server), AGENT_ENTRIES - FEW, 50, 4);
  await settled(agent);
  const took = (performance.now() - start) / 1000;
  const cpu = cpuSeconds(agent) - before.cpu;
  const filled: Figure = {
    what: `one agent gets ${AGENT_ENTRIES.toLocaleString('en')} entries, and SVIDs for as many as it keeps in advance`,
    value: `in ${took.toFixed(0)} s, ${cpu.toFixed(1)} s of its CPU; ${Math.round(before.memory)} → ${Math.round(residentMiB(agent))} MiB`,
    against: 'a thousand, unless workloads ask for more',
  };
  const delivered = await entryToWorkload(stack, entriesOf(stack), 100);
  const calm = cpuSeconds(agent);
  await sleep(IDLE * 1000);
  const cores = (cpuSeconds(agent) - calm) / IDLE;
  const stopped = performance.now();
  await stack.agent.stop();
  await stack.startAgent();
  const again = (performance.now() - stopped) / 1000;
  return [
    filled,
    { ...delivered, what: `${delivered.what}, on that agent` },
    {
      what: `that agent idle, and stopped and started`,
      value: `${cores.toFixed(4)} cores; serves after ${again.toFixed(1)} s, ${Math.round(residentMiB(pidOf(stack.agent)))} MiB`,
      against: 'the SVIDs are fetched anew',
    },
  ];
}

/** Until the process has been at rest for two seconds. */
async function settled(pid: number): Promise<void> {
  for (let calm = 0; calm < 4; ) {
    const before = cpuSeconds(pid);
    await sleep(500);
    calm = cpuSeconds(pid) - before < 0.03 ? calm + 1 : 0;
  }
}

export async function manyEntries(): Promise<Figure[]> {
  await using stack = await Stack.start({ agent: { log_level: 'WARN' }, server: { log_level: 'WARN' } });
  const settings = { address: `unix:${stack.adminSocket}`, credentials: credentials.createInsecure() };
  const client = createClient(entryV1.Entry, settings);
  try {
    const figures: Figure[] = await creation(new Maker(client, stack.trustDomain, '/seed'), pidOf(stack.server));
    figures.push(await idle(stack));
    const below = new Maker(client, stack.trustDomain, new URL(stack.agentId).pathname);
    await below.create(FEW);
    // What holds the stream open that is waited on.
    await entriesOf(stack).create('/bench');
    const delivered = await entryToWorkload(stack, entriesOf(stack), 100);
    figures.push({ ...delivered, what: `${delivered.what}, of an agent with ${FEW} entries beside those` });
    return [...figures, ...(await manyOnAgent(stack, below))];
  } finally {
    client.close();
  }
}
