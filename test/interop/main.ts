// `npm run interop`: real clients, unchanged, against our agent.
import { access } from 'node:fs/promises';
import { Stack } from '../stack/stack.ts';
import { runCases } from './case.ts';
import { exampleSocket, goSpiffeCases } from './go-spiffe.ts';
import { pySpiffeCases } from './py-spiffe.ts';

const taken = await access(exampleSocket).then(
  () => true,
  () => false,
);
if (taken) {
  console.error(`${exampleSocket} exists; the go-spiffe examples need that path`);
  process.exit(1);
}
await using stack = await Stack.start({ workloadSocket: exampleSocket });
const tally = await runCases([...goSpiffeCases(stack), ...pySpiffeCases(stack)]);
console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exitCode = tally.failed > 0 ? 1 : 0;
