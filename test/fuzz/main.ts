// `npm run fuzz`: hostile input for every reader, held against readers that are not ours.
//   --inputs N       of all targets together (default ten million)
//   --seed N         random, and printed, unless given
//   --only NAME      one target
//   --input BASE64   one input of it, such as a finding of an earlier run
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { compareWithGoSpiffe } from './against-go-spiffe.ts';
import { buildGoSpiffe, GoSpiffeReader } from './go-spiffe-reader.ts';
import { InputInView } from './input-in-view.ts';
import { judgeOne, type Outcome } from './run-target.ts';
import { startTarget } from './start-target.ts';
import { TARGETS } from './targets/index.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    only: { type: 'string' },
    input: { type: 'string' },
  },
});
const chosen = TARGETS.filter(({ name }) => values.only === undefined || name === values.only);
const [first] = chosen;
if (first === undefined || (values.input !== undefined && chosen.length > 1)) {
  console.error(`--only names one of: ${TARGETS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (values.input !== undefined) {
  const what = await judgeOne(first, Buffer.from(values.input, 'base64'));
  console.log(what ?? 'nothing wrong');
  process.exit(what === undefined ? 0 : 1);
}

const report = ({ target, inputs, accepted, compared, stricter, findings }: Outcome): void => {
  console.log(`${target}: ${inputs} inputs, ${accepted} accepted, ${compared} compared with another reader`);
  for (const [reason, times] of Object.entries(stricter)) console.log(`    stricter ${times} times: ${reason}`);
  for (const { what, input } of findings) {
    console.log(`    FINDING: ${what}`);
    console.log(`    again: npm run fuzz -- --only '${target}' --input ${Buffer.from(input).toString('base64')}`);
  }
};

const seed = Number(values.seed);
console.log(`seed ${seed}`);
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
const queue = chosen.map(({ name, share }) => ({ name, inputs: Math.ceil((Number(values.inputs) * share) / shares) }));
let [inputs, findings] = [0, 0];
const workThrough = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const outcome = await startTarget(next.name, {
      seed,
      inputs: next.inputs,
      view: new SharedArrayBuffer(InputInView.bytes),
    });
    report(outcome);
    inputs += outcome.inputs;
    findings += outcome.findings.length;
  }
};
await Promise.all(Array.from({ length: Math.min(availableParallelism(), queue.length) }, workThrough));
if (values.only === undefined) {
  const built = await buildGoSpiffe();
  if ('path' in built) {
    using reader = new GoSpiffeReader(built.path);
    findings += await compareWithGoSpiffe(reader, seed);
  } else {
    console.log(`skipped: comparison with go-spiffe: ${built.missing}`);
  }
}
console.log(`${inputs} inputs, ${findings} findings`);
process.exitCode = findings > 0 ? 1 : 0;
