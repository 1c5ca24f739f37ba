import { defineConfig } from 'vitest/config';

const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        // Pure rooms share one process: nothing in them outlives a test.
        test: { name: 'pure', include: ['{spiffe,core}/src/**/*.test.ts'], isolate: false, ...timeouts },
      },
      {
        test: {
          name: 'processes',
          include: ['{proto,client,daemon,plugins,server,agent,cli}/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/crash/**', 'test/bench/**'],
          pool: 'forks',
          ...timeouts,
        },
      },
    ],
  },
});
