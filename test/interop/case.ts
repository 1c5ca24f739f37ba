// One line per case: passed, failed, or skipped with the reason.

import type { Stack } from '../stack/stack.ts';

export class Skip extends Error {}

export interface Case {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A case against server and agent of ours that several cases share. */
export interface StackCase {
  readonly name: string;
  readonly run: (stack: Stack) => Promise<void>;
}

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export interface RunOptions {
  /** How many cases may run at the same time; by default one. */
  readonly parallel?: number;
}

export async function runCases(cases: readonly Case[], { parallel = 1 }: RunOptions = {}): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const waiting = cases.values();
  const worker = async () => {
    for (const each of waiting) await runCase(each, tally);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return tally;
}

async function runCase({ name, run }: Case, tally: Tally): Promise<void> {
  const start = performance.now();
  try {
    await run();
    tally.passed += 1;
    console.log(`passed   ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof Skip) tally.skipped += 1;
    else tally.failed += 1;
    console.log(`${error instanceof Skip ? 'skipped ' : 'failed  '} ${name}: ${why}`);
  }
}

export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected: ${what}`);
}

export function sum(...tallies: readonly Tally[]): Tally {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of tallies) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}
