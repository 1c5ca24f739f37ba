import { setImmediate } from 'node:timers/promises';
import type { AgentStore } from '@steeple/plugins';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { AgentPruning, type AgentPruningSettings } from './agent-pruning.ts';

type Query = Parameters<AgentStore['pruneExpired']>[0];

const start = (random: number, settings: Partial<AgentPruningSettings> = {}, fail = false) => {
  const clock = new FakeClock(1_000_000);
  const logger = new MemoryLogger();
  const asked: Query[] = [];
  const store = {
    pruneExpired: async (query: Query) => {
      asked.push(query);
      if (fail && asked.length === 1) throw new Error('the disk is gone');
      return ['spiffe://example.org/spire/agent/x'];
    },
  } as unknown as AgentStore;
  const pruning = new AgentPruning(
    store,
    { expiredFor: 600, batchSize: 50, tofu: false, ...settings },
    { clock, logger, random01: () => random },
  );
  const over = new AbortController();
  const done = pruning.run(over.signal).catch(() => {});
  const pass = async (seconds: number): Promise<void> => {
    await clock.advance(seconds);
    await setImmediate();
  };
  return { asked, logger, pass, stop: () => (over.abort(), done) };
};

describe('AgentPruning', () => {
  it('asks for those that have been expired for long enough, in portions', async () => {
    const { asked, logger, pass, stop } = start(0.5, { tofu: true });
    await pass(3600);
    expect(asked).toEqual([{ before: 1_003_600 - 600, limit: 50, includeNotReattestable: true }]);
    expect(logger.text).toContain('spiffe://example.org/spire/agent/x');
    await pass(3600);
    expect(asked).toHaveLength(2);
    await stop();
  });

  it.each([
    [0, 2700],
    [0.999999, 4499],
  ])('waits between 45 and 75 minutes: with %d', async (random, seconds) => {
    const { asked, pass, stop } = start(random);
    await pass(seconds - 1);
    expect(asked).toHaveLength(0);
    await pass(1);
    expect(asked).toHaveLength(1);
    await stop();
  });

  it('goes on after a failure', async () => {
    const { asked, logger, pass, stop } = start(0.5, {}, true);
    await pass(3600);
    await pass(3600);
    expect(asked).toHaveLength(2);
    expect(logger.text).toContain('Pruning failed');
    await stop();
  });
});
