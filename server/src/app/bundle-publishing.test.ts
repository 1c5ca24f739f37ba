import type { TrustBundle } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { BundlePublishing } from './bundle-publishing.ts';

async function world(names: readonly string[]) {
  const domain = await TestTrustDomain.create('example.org');
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const state = { bundle: domain.bundle };
  const seen: string[] = [];
  /** What the next publications do instead. */
  const faults = new Map<string, (signal: AbortSignal) => Promise<void>>();
  const publishers = names.map((name) => ({
    name,
    publisher: {
      publish: async (bundle: TrustBundle, signal: AbortSignal) => {
        seen.push(`${name} ${bundle.sequence}`);
        await faults.get(name)?.(signal);
      },
      close: async () => undefined,
    },
  }));
  const publishing = new BundlePublishing({ own: () => state.bundle }, publishers, {
    clock,
    logger,
    random01: () => 0.5,
  });
  const stop = new AbortController();
  const running = publishing.run(stop.signal);
  const change = (sequence: bigint) => {
    state.bundle = state.bundle.with({ sequence });
    publishing.bundleChanged();
  };
  const end = async () => {
    stop.abort();
    await running;
  };
  return { clock, logger, seen, faults, change, end, take: () => seen.splice(0) };
}

describe('BundlePublishing', () => {
  it('publishes at the start, at each change, and now and then', async () => {
    const { clock, take, change, end, logger } = await world(['a', 'b']);
    await clock.settled(2);
    expect(take()).toEqual(['a 1', 'b 1']);
    change(2n);
    await clock.advance(0);
    expect(take()).toEqual(['a 2', 'b 2']);
    await clock.advance(299);
    expect(take()).toEqual([]);
    await clock.advance(1);
    expect(take()).toEqual(['a 2', 'b 2']);
    // What is as it was is not worth a line.
    expect(logger.records.filter(({ message }) => message === 'Bundle published')).toHaveLength(4);
    await end();
    expect(clock.sleeping).toBe(0);
  });

  it('tries again what failed, while the others go on', async () => {
    const { clock, take, faults, change, end, logger } = await world(['good', 'bad']);
    await clock.settled(2);
    take();
    faults.set('bad', () => Promise.reject(new Error('no cluster')));
    change(2n);
    await clock.advance(0);
    await clock.advance(2);
    await clock.advance(4);
    expect(take()).toEqual(['good 2', 'bad 2', 'bad 2', 'bad 2']);
    expect(logger.records.filter(({ level }) => level === 'warn')).toHaveLength(3);
    faults.delete('bad');
    change(3n);
    await clock.advance(0);
    expect(take()).toEqual(['good 3', 'bad 3']);
    await end();
  });

  it('publishes the newest when several changes come during one publication', async () => {
    const { clock, take, faults, change, end } = await world(['a']);
    await clock.settled(1);
    take();
    const gate = Promise.withResolvers<void>();
    faults.set('a', () => gate.promise);
    change(2n);
    await clock.advance(0);
    change(3n);
    change(4n);
    gate.resolve();
    await clock.advance(0);
    expect(take()).toEqual(['a 2', 'a 4']);
    await end();
  });

  it('gives up a publication that hangs', async () => {
    const { clock, take, faults, change, end, logger } = await world(['a']);
    await clock.settled(1);
    take();
    faults.set(
      'a',
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    change(2n);
    await clock.advance(0);
    await clock.advance(60);
    expect(logger.records.at(-1)).toMatchObject({ level: 'warn', message: 'Bundle not published' });
    faults.delete('a');
    await clock.advance(2);
    expect(take()).toEqual(['a 2', 'a 2']);
    await end();
  });

  it('ends at once when nobody publishes', async () => {
    const { end } = await world([]);
    await end();
  });
});
