// `npm run bench -- --against spire`: both servers in one run, under the same load, turn by turn, so that whatever else the machine does
// hits both alike.
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../interop/spire/site.ts';
import { type Figure, perSecond, printFigures } from './figures.ts';
import { perUnit, type Spent, spend, together, unitRate } from './load.ts';
import { serverWork } from './server-work.ts';
import { pairOf, SELECTOR } from './sites.ts';
import { fetching, idleMemory, propagation, seeding, streams } from './workloads-against-spire.ts';

const WARM_UP = 1;
const SECONDS = 3;
const ROUNDS = 2;

const microseconds = (seconds: number): string => `${Math.round(seconds * 1e6)} µs`;

export async function againstSpire(): Promise<void> {
  const site = await Site.open();
  try {
    const settings = { log_level: 'WARN' };
    const servers = [await site.server('steeple', { settings }), await site.server('spire', { settings })] as const;
    const works = await Promise.all(servers.map((server) => serverWork(site, server)));
    const figures: Figure[] = [];
    for (const [index, { what, aim }] of (works[0] ?? []).entries()) {
      const spent: [Spent[], Spent[]] = [[], []];
      const own = process.cpuUsage();
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const side of [0, 1] as const) {
          const load = works[side]?.[index]?.load;
          const pid = servers[side].process.child.pid;
          if (load === undefined || pid === undefined) throw new Error('a server has gone');
          await spend(pid, WARM_UP, load);
          spent[side].push(await spend(pid, SECONDS, load));
        }
      }
      const used = process.cpuUsage(own);
      const cores = (used.user + used.system) / 1e6 / (2 * ROUNDS * (WARM_UP + SECONDS));
      const [ours, theirs] = [together(spent[0]), together(spent[1])];
      const ratio = perUnit(ours) / perUnit(theirs);
      const figure = {
        what,
        value: `${microseconds(perUnit(ours))} : ${microseconds(perUnit(theirs))} = ${ratio.toFixed(2)} (aim ${aim})`,
        against: `${perSecond(unitRate(ours))} : ${perSecond(unitRate(theirs))}; the load itself took ${cores.toFixed(1)} cores`,
      };
      console.log(`${figure.what}: ${figure.value}`);
      figures.push(figure);
    }
    console.log('\nProcessor time of the server per unit of work, Steeple : SPIRE');
    printFigures(figures);
    await workloads(site);
  } finally {
    await site.close(false);
  }
}

/** What workloads and operators notice. */
async function workloads(site: Site): Promise<void> {
  const pairs = [await pairOf(site, 'steeple'), await pairOf(site, 'spire')] as const;
  const figures = await idleMemory(pairs);
  figures.push(await propagation(pairs, 6));
  for (const { server, agent } of pairs) await server.createEntry(server.id('/bench'), agent.id, [SELECTOR]);
  // SPIRE's agent asks every five seconds.
  await sleep(8000);
  figures.push(await fetching(pairs, 5), await streams(pairs, 200), await seeding(pairs, 10_000));
  console.log('\nAs workloads and operators see it, Steeple : SPIRE');
  printFigures(figures);
}
