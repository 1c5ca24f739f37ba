// `npm run crash -- [kills] [--seed N]`: kill -9 of server and agent at random moments while entries change and SVIDs rotate.
//
// Afterwards every acknowledged change must be there, and no workload may ever have held an expired SVID.
// `npm run crash -- --without-durability` switches the datastore's durability off and is expected to lose entries:
// that is how this test is seen to fail.
import { randomInt } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Process } from '../stack/process.ts';
import { Stack } from '../stack/stack.ts';
import { EntryWriter } from './entry-writer.ts';

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    'without-durability': { type: 'boolean', default: false },
    seed: { type: 'string' },
    'keep-logs': { type: 'boolean', default: false },
  },
});
const kills = Number(positionals[0] ?? 100);
const undurable = flags['without-durability'];
const seed = Number(flags.seed ?? randomInt(2 ** 31));
console.log(`${kills} kills, seed ${seed}${undurable ? ', durability off' : ''}`);

/** A small reproducible generator: the same seed kills at the same moments. */
let state = seed;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const pause = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

const database = (stack: Stack): string => join(stack.dir, 'server', 'datastore.sqlite3');

/** What a lost power supply does to writes that were never made durable: the file is as it was some moments ago. */
async function snapshot(stack: Stack): Promise<() => Promise<void>> {
  const names = ['', '-wal'].map((suffix) => `${database(stack)}${suffix}`);
  const before = await Promise.all(names.map((name) => readFile(name).catch(() => undefined)));
  return async () => {
    await rm(`${database(stack)}-shm`, { force: true });
    await Promise.all(
      names.map((name, index) =>
        before[index] === undefined ? rm(name, { force: true }) : writeFile(name, before[index]),
      ),
    );
  };
}

/** What every killed process wrote: a failure is explained by what came before it. */
const logs: string[] = [];
const time = (): string => new Date().toISOString();

async function killServer(stack: Stack): Promise<void> {
  const undo = undurable ? await snapshot(stack) : undefined;
  if (undo !== undefined) await pause(0.5);
  await stack.server.stop('SIGKILL');
  logs.push(`${stack.server.output}--- server killed at ${time()}\n`);
  await undo?.();
  await stack.startServer();
}

async function killAgent(stack: Stack): Promise<void> {
  await stack.agent.stop('SIGKILL');
  logs.push(`${stack.agent.output}--- agent killed at ${time()}\n`);
  await stack.startAgent();
}

await using stack = await Stack.start({ agent: { log_level: 'DEBUG' }, server: { log_level: 'DEBUG', ca_ttl: '2m' } });
await stack.createEntry({
  id: 'spiffe://example.org/observer',
  selectors: [`unix:uid:${process.getuid?.() ?? 0}`],
  flags: ['--x509-svid-ttl', '20s'],
});
const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${stack.workloadSocket}` };
const observer = new Process(
  'observer',
  process.execPath,
  ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'observer.ts')],
  { env },
);
await observer.line(/^svid /m);

const writer = new EntryWriter(stack.adminSocket, stack.agentId);
const writing = writer.run();
const unhealthy: string[] = [];
for (let kill = 1; kill <= kills && unhealthy.length === 0; kill += 1) {
  await pause(random() * 0.8);
  await (random() < 0.6 ? killServer(stack) : killAgent(stack)).catch((error: Error) => unhealthy.push(error.message));
  if (kill % 10 === 0)
    console.log(
      `${kill} kills, ${writer.acknowledged} changes acknowledged, ${observer.output.match(/^svid /gm)?.length} SVIDs seen`,
    );
}
await writer.stop();
await writing;

const lost = await writer.missing();
const expired = observer.output.match(/^expired.*$/gm) ?? [];
const seen = observer.output.match(/^svid /gm)?.length ?? 0;
await observer.stop();
const problems = [
  ...unhealthy.map((message) => message.split('\n', 1)[0]),
  ...lost.slice(0, 5).map((what) => `acknowledged, but not there: ${what}`),
  ...expired.slice(0, 5).map((line) => `a workload held an expired SVID: ${line}`),
  ...(seen < 3 ? [`the observer saw only ${seen} SVIDs: rotations did not go on`] : []),
  ...(writer.acknowledged < kills
    ? [`only ${writer.acknowledged} changes were acknowledged: the test tested little`]
    : []),
];
for (const problem of problems) console.error(`FAIL ${problem}`);
if (problems.length > 0 || flags['keep-logs']) {
  const kept = `${stack.dir}-logs.txt`;
  await writeFile(kept, [...logs, stack.server.output, stack.agent.output, observer.output].join('\n'));
  console.error(`What all of them said is in ${kept}; run it again with --seed ${seed}`);
}
console.log(
  `${kills} kills, ${writer.acknowledged} acknowledged changes, ${lost.length} lost, ${seen} SVIDs seen, ${expired.length} expired`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
