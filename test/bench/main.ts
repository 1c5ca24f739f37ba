// `npm run bench`: our figures beside what this machine can do, in one run. Ratios travel between machines; rates do not.
import { cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Stack } from '../stack/stack.ts';
import { againstSpire } from './against-spire.ts';
import { attestors } from './attestors/attestors.ts';
import { soak } from './attestors/soak.ts';
import { entriesOf, entryToWorkload, firstSvid, thousandStreams } from './delivery.ts';
import { type Figure, printFigures, residentMiB } from './figures.ts';
import { issuance } from './issuance.ts';
import { podAttestation } from './pods/pod-attestation.ts';
import { manyEntries } from './scale/many-entries.ts';
import { storm } from './scale/storm.ts';
import { devStart } from './start.ts';

console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`);

const { values } = parseArgs({
  options: { against: { type: 'string' }, only: { type: 'string' }, agents: { type: 'string', default: '10000' } },
});
/** What takes minutes, and is measured when it is asked for. */
const parts: Record<string, () => Promise<Figure[]>> = {
  pods: podAttestation,
  attestors,
  soak,
  scale: manyEntries,
  storm: () => storm(Number(values.agents)),
};
if (values.only !== undefined) {
  const part = parts[values.only];
  if (part === undefined) throw new Error(`--only: one of ${Object.keys(parts).join(', ')}`);
  printFigures(await part());
} else if (values.against === undefined) await alone();
else if (values.against === 'spire') await againstSpire();
else throw new Error('--against: only `spire` can be measured against');

async function alone(): Promise<void> {
  const figures: Figure[] = [];
  const add = (...more: Figure[]): void => {
    for (const figure of more) console.log(`${figure.what}: ${figure.value}`);
    figures.push(...more);
  };

  await using stack = await Stack.start({ agent: { log_level: 'WARN' }, server: { log_level: 'WARN' } });
  const entries = entriesOf(stack);
  await entries.create('/bench');
  await sleep(5000);
  const idle = [stack.server, stack.agent].map(({ child }) => Math.round(residentMiB(child.pid ?? 0)));
  add({
    what: 'idle memory',
    value: `server ${idle[0]} MiB, agent ${idle[1]} MiB`,
    against: 'SPIRE 1.15.3: server 145 MiB, agent 66 MiB',
  });
  add(await entryToWorkload(stack, entries, 300));
  add(await firstSvid(stack, 300));
  add(...(await issuance(stack)));
  add(...(await thousandStreams(stack, entries, 1000)));
  add(await devStart(5));
  printFigures(figures);
}
