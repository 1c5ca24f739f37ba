// `npm run conformance`: how many rows of each SPIFFE standard are shown to hold. `--write` renews docs/conformance.md.
import { writeFile } from 'node:fs/promises';
import { startVitest } from 'vitest/node';
import { CountReporter } from '../../scripts/reporter.ts';
import { RowCollector } from './collector.ts';
import { asMarkdown, asText } from './report.ts';
import { readStandards } from './rows.ts';
import { judge, unknownIds } from './verdicts.ts';

const collector = new RowCollector();
const vitest = await startVitest('test', ['test/conformance/'], {
  watch: false,
  reporters: [new CountReporter(), collector],
});
await vitest.close();

const standards = readStandards();
const judged = judge(standards, collector.outcomes);
console.log(`\n${asText(judged)}`);

const unknown = unknownIds(standards, collector.outcomes);
if (unknown.length > 0) console.error(`cited by tests, but in no table: ${unknown.join(', ')}`);
for (const name of collector.broken) console.error(`could not be run to its end: ${name}`);
const hasFailed = judged.some(({ rows }) => rows.some(({ verdict }) => verdict.state === 'failed'));
if (hasFailed || unknown.length > 0 || collector.broken.length > 0) process.exitCode = 1;

if (process.argv.includes('--write')) {
  await writeFile(new URL('../../docs/conformance.md', import.meta.url), asMarkdown(judged));
  console.log('docs/conformance.md written');
}
