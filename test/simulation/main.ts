// `npm run simulate`: a month in the life of a trust domain, in minutes. One server, three agents, fifty workloads, lifetimes
// as they are by default, clocks that are off and are set, machines that are suspended, a server that is away.
//   --days N (default 30)   --seed N (default random, printed)
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../fuzz/random.ts';
import { settle } from './settle.ts';
import { SimulatedTime } from './simulated-time.ts';
import { SimulatedTrustDomain } from './trust-domain.ts';
import { SimulatedMachine } from './workloads.ts';

const { values } = parseArgs({
  options: { days: { type: 'string', default: '30' }, seed: { type: 'string', default: String(randomInt(2 ** 32)) } },
});
const days = Number(values.days);
const seed = Number(values.seed);
const random = new Random(seed);
const chance = (): number => random.next() / 2 ** 32;
console.log(`seed ${seed}`);

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Clocks of machines that are looked after differ by this much at most. */
const SKEW = 4;

const time = new SimulatedTime(1_900_000_000);
const serverClock = time.machine();
/** Time passes while something is waited for that takes some of it. */
async function meanwhile<T>(work: Promise<T>): Promise<T> {
  const state = { done: false };
  const finished = work.finally(() => (state.done = true));
  finished.catch(() => {});
  while (!state.done) {
    await time.pass(0.02);
    await settle();
  }
  return finished;
}

await using domain = await meanwhile(SimulatedTrustDomain.open(serverClock, chance));
const machines: SimulatedMachine[] = [];
await using stack = new AsyncDisposableStack();
for (const [index, count] of [17, 17, 16].entries()) {
  const paths = Array.from({ length: count }, (_, number) => `/machine-${index}/workload-${number}`);
  const clock = time.machine();
  const address = await meanwhile(domain.addAgent(clock, paths));
  machines.push(stack.use(new SimulatedMachine(address, clock, paths)));
}
const workloads = machines.flatMap((machine) => machine.workloads);
const clocks = [serverClock, ...machines.map(({ clock }) => clock)];

const tally = { handshakes: 0, tokens: 0, failed: 0, expired: 0, shortest: Number.POSITIVE_INFINITY };
const failures = new Map<string, number>();
const fail = (what: string, error: unknown): void => {
  const message = `${what}: ${error instanceof Error ? error.message : String(error)}`.replaceAll(/\d+/g, '#');
  if (!failures.has(message)) console.log(`day ${(time.elapsed / DAY).toFixed(2)}: ${what}: ${String(error)}`);
  failures.set(message, (failures.get(message) ?? 0) + 1);
};

async function pass(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= MINUTE) {
    await time.pass(Math.min(left, MINUTE));
    await settle();
    for (const workload of workloads) {
      try {
        tally.shortest = Math.min(tally.shortest, workload.left);
        if (workload.left > 0) continue;
        tally.expired += 1;
        fail('expired', new Error(`${workload.id} holds an SVID that ended ${-workload.left} s ago`));
      } catch (error) {
        tally.failed += 1;
        fail('without', error);
      }
    }
  }
}

/** Two calls and two tokens between workloads that were never asked whether they are ready. */
async function meet(tokens: boolean): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const [from, to] = [random.pick(workloads), random.pick(workloads)];
    tally.handshakes += 1;
    await from.call(to).catch((error: unknown) => {
      tally.failed += 1;
      fail('handshake', error);
    });
    if (!tokens) continue;
    tally.tokens += 1;
    await from.tell(to).catch((error: unknown) => {
      tally.failed += 1;
      fail('token', error);
    });
  }
}

/**
 * Waits until a new entry has come to every machine, and its end too. Connections are opened again by timers of the real
 * clock, so without it hours could pass before anybody notices that the server is back.
 */
async function allHear(path: string): Promise<void> {
  const news = machines.map((machine, index) => ({ machine, path: `/machine-${index}/${path}` }));
  const ids = await domain.addToEach(news.map(({ path }) => path));
  const until = async (there: boolean): Promise<void> => {
    while (news.some(({ machine, path }) => machine.holds(path) !== there)) await delay(5);
  };
  await until(true);
  await domain.remove(ids);
  await until(false);
}

/** What goes wrong in a day, one thing in each of its parts. */
const TROUBLES: readonly (() => Promise<void>)[] = [
  async () => {
    for (const clock of clocks) clock.offset = Math.round((chance() * 2 - 1) * SKEW);
  },
  async () => {
    await meanwhile(domain.stopServer());
    for (let minutes = 0; minutes < 20; minutes += 10) {
      await pass(10 * MINUTE);
      await meet(false);
    }
    await meanwhile(domain.startServer());
    await meanwhile(allHear('back'));
  },
  // The machines sleep. Longer, and SVIDs of an hour, renewed at half of it, would end meanwhile.
  async () => time.suspend(15 * MINUTE),
];

while (!machines.every(({ isReady }) => isReady)) await meanwhile(settle());
const started = performance.now();
let nextTrouble = 0;
while (time.elapsed < days * DAY) {
  await pass(10 * MINUTE);
  await meet(true);
  if (time.elapsed < nextTrouble) continue;
  nextTrouble = time.elapsed + (0.5 + chance()) * (DAY / TROUBLES.length);
  await random.pick(TROUBLES)();
}

const updates = machines.reduce((sum, machine) => sum + machine.updates, 0);
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
console.log(
  `${days} days in ${minutes} minutes: ${tally.handshakes} handshakes, ${tally.tokens} tokens, ${updates} updates`,
);
console.log(`shortest time that an X509-SVID in use had left: ${Math.round(tally.shortest)} s`);
for (const [message, times] of failures) console.log(`FAILED ${times} times: ${message}`);
console.log(`${tally.failed} failed, ${tally.expired} expired`);
if (failures.size > 0) console.log(domain.log.join(''));
process.exitCode = failures.size > 0 ? 1 : 0;
