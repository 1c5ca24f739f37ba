// A vitest reporter whose last line is `N passed, N failed, N skipped`, and which says why for every skip.
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export class CountReporter implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    const failed = [...module.children.allTests('failed')].length;
    const ran = [...module.children.allTests()].length;
    console.log(
      `${module.ok() ? 'ok  ' : 'FAIL'} ${module.relativeModuleId} (${ran} tests, ${seconds} s${failed > 0 ? `, ${failed} failed` : ''})`,
    );
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly { message: string; stack?: string }[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const of = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    for (const test of of('failed')) printFailure(test);
    for (const module of modules) {
      for (const error of module.errors())
        console.error(`\nFAIL ${module.relativeModuleId}\n${error.stack ?? error.message}`);
    }
    for (const error of errors) console.error(`\nUNHANDLED ${error.stack ?? error.message}`);
    const skipped = of('skipped');
    for (const test of skipped) console.log(`skipped: ${test.fullName}: ${skipReason(test)}`);
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    console.log(`${of('passed').length} passed, ${of('failed').length + broken} failed, ${skipped.length} skipped`);
  }
}

function printFailure(test: TestCase): void {
  console.error(`\nFAIL ${test.module.relativeModuleId} > ${test.fullName}`);
  for (const error of test.result().errors ?? []) {
    console.error(error.stack ?? error.message);
    if (error.diff !== undefined) console.error(error.diff);
  }
}

function skipReason(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' && result.note) || 'no reason given';
}
