import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{spiffe,core,proto,client,daemon,plugins,server,agent,cli}/src/**/*.test.ts',
      'test/**/*.test.ts',
      'examples/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', 'test/crash/**', 'test/bench/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
