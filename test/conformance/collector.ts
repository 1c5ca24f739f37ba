import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { citedRows } from './rows.ts';
import type { TestOutcome } from './verdicts.ts';

/** A vitest reporter that notes for each row what became of the tests citing it. */
export class RowCollector implements Reporter {
  readonly outcomes = new Map<string, TestOutcome[]>();
  /** Files that could not be run as a whole, so that their rows would look as if they had no test. */
  readonly broken: string[] = [];

  onTestCaseResult(test: TestCase): void {
    for (const id of citedRows(test.name)) {
      const known = this.outcomes.get(id) ?? [];
      this.outcomes.set(id, [...known, outcomeOf(test)]);
    }
  }

  onTestModuleEnd(module: TestModule): void {
    const isBroken =
      module.errors().length > 0 || (!module.ok() && [...module.children.allTests('failed')].length === 0);
    if (isBroken) this.broken.push(module.relativeModuleId);
  }
}

// A test that never came to its end, because a hook failed, shows nothing.
function outcomeOf(test: TestCase): TestOutcome {
  const { state } = test.result();
  return state === 'passed' || state === 'skipped' ? state : 'failed';
}
