// The static gates, each named as the law it keeps. `npm run verify` runs them and then the tests; CI does the same.
import { spawnSync } from 'node:child_process';

const laws: readonly (readonly [law: string, command: string, ...args: string[]])[] = [
  ['files are formatted and imports are in order', 'biome', 'check', '--error-on-warnings', '.'],
  ['types hold in every room', 'tsc', '-b'],
  ['tests, examples and scripts type-check', 'tsc', '-p', 'test'],
  ['the tests of the pure room type-check too', 'tsc', '-p', 'core/tsconfig.test.json'],
  ['the linter has no complaint', 'oxlint', '--type-aware', '--deny-warnings', '.'],
  ['generated code is current', 'node', 'scripts/generate.ts', '--check'],
  ['nothing is unused', 'knip'],
];

let broken = 0;
for (const [law, command, ...args] of laws) {
  const done = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 28 });
  const kept = done.status === 0;
  console.log(`${kept ? 'kept  ' : 'BROKEN'} ${law}`);
  if (!kept) {
    broken += 1;
    console.log(done.stdout, done.stderr, done.error?.message ?? '');
  }
}
if (broken > 0) {
  console.log(`${broken} of ${laws.length} laws are broken`);
  process.exit(1);
}
