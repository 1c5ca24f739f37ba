import { bundleComparison } from './compare-bundle.ts';
import { idComparison } from './compare-id.ts';
import type { Comparison } from './comparison.ts';
import type { GoSpiffeReader } from './go-spiffe-reader.ts';
import { Random } from './random.ts';

/** Questions on their way at once. */
const BATCH = 512;
/** Kinds of findings that are kept. */
const ENOUGH = 20;

/** Runs both comparisons and prints what came out. Resolves with the number of findings. */
export async function compareWithGoSpiffe(reader: GoSpiffeReader, seed: number): Promise<number> {
  let findings = 0;
  for (const comparison of [idComparison, bundleComparison]) {
    const { same, differences, found } = await run(comparison, reader, new Random(seed));
    console.log(`${comparison.name}: ${comparison.inputs} inputs, ${same} read alike`);
    for (const [why, times] of differences) console.log(`    differs ${times} times: ${why}`);
    for (const [why, input] of found) {
      console.log(`    FINDING: ${why}`);
      console.log(`    input (base64): ${Buffer.from(input).toString('base64')}`);
    }
    findings += found.size;
  }
  return findings;
}

async function run(comparison: Comparison, reader: GoSpiffeReader, random: Random) {
  const differences = new Map<string, number>();
  const found = new Map<string, Uint8Array>();
  let same = 0;
  for (let done = 0; done < comparison.inputs; done += BATCH) {
    const inputs = Array.from({ length: BATCH }, () => comparison.make(random));
    const answers = await Promise.all(inputs.map((input) => reader.ask(comparison.kind, input)));
    for (const [index, input] of inputs.entries()) {
      const difference = comparison.compare(input, answers[index] ?? { accepted: false, text: 'no answer' });
      if (difference === undefined) same += 1;
      else if (difference.known) differences.set(difference.why, (differences.get(difference.why) ?? 0) + 1);
      else if (found.size < ENOUGH) found.set(difference.why, input);
    }
  }
  return { same, differences, found };
}
