// `npm run interop`: real programs, unchanged, against ours. `-- --only <text>` runs the cases whose name contains it.
import { access } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Stack } from '../stack/stack.ts';
import { runCases, sum, type Tally } from './case.ts';
import { cliCases } from './cli/cases.ts';
import { differentialCases } from './differential/cases.ts';
import { exampleSocket, goSpiffeCases } from './go-spiffe.ts';
import { programs } from './programs/index.ts';
import { pySpiffeCases } from './py-spiffe.ts';
import { casesOf } from './spire/suite.ts';
import { suites } from './suites/index.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    parallel: { type: 'string', default: '2' },
  },
});
const selected = ({ name }: { readonly name: string }) =>
  values.only.length === 0 || values.only.some((text) => name.includes(text));

const ofClients = [...goSpiffeCases, ...pySpiffeCases].filter(selected);
const ofSpire = [...[...suites, ...programs].flatMap(casesOf), ...cliCases, ...differentialCases].filter(selected);

/** Client libraries share one stack, whose socket's place is built into go-spiffe's examples. */
async function runClients(): Promise<Tally> {
  if (ofClients.length === 0) return sum();
  const taken = await access(exampleSocket).then(
    () => true,
    () => false,
  );
  if (taken) throw new Error(`${exampleSocket} exists; the go-spiffe examples need that path`);
  await using stack = await Stack.start({ workloadSocket: exampleSocket });
  return await runCases(ofClients.map(({ name, run }) => ({ name, run: () => run(stack) })));
}

if (values.list) {
  for (const { name } of [...ofClients, ...ofSpire]) console.log(name);
} else {
  const tally = sum(await runClients(), await runCases(ofSpire, { parallel: Number(values.parallel) }));
  console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  process.exitCode = tally.failed > 0 ? 1 : 0;
}
