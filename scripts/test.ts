// `npm test`: every unit, contract, conformance and end-to-end test. Arguments go to vitest (a path narrows the run).
import { startVitest } from 'vitest/node';
import { CountReporter } from './reporter.ts';

const vitest = await startVitest('test', process.argv.slice(2), { watch: false, reporters: [new CountReporter()] });
await vitest.close();
