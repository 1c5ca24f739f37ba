// One line per case: passed, failed, or skipped with the reason.

export class Skip extends Error {}

export interface Case {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export async function runCases(cases: readonly Case[]): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, run } of cases) {
    try {
      await run();
      tally.passed += 1;
      console.log(`passed   ${name}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof Skip) tally.skipped += 1;
      else tally.failed += 1;
      console.log(`${error instanceof Skip ? 'skipped ' : 'failed  '} ${name}: ${why}`);
    }
  }
  return tally;
}

export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected: ${what}`);
}
