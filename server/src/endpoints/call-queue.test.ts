import { setImmediate as turn } from 'node:timers/promises';
import { Code, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { CallQueue, type CallQueueLimits } from './call-queue.ts';

const never = new AbortController().signal;

function world(limits: Partial<CallQueueLimits> = {}) {
  const clock = new FakeClock();
  const queue = new CallQueue(clock, limits);
  const running: { name: string; leave: () => void }[] = [];
  const refused: GrpcError[] = [];
  const call = async (name: string, cost: number, signal = never): Promise<void> => {
    try {
      running.push({ name, leave: await queue.enter(cost, () => signal) });
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      refused.push(error);
    }
  };
  const calls = (count: number, cost: number): void => {
    for (let n = 0; n < count; n += 1) void call(String(n), cost);
  };
  const leave = (name: string): void =>
    running
      .splice(
        running.findIndex((one) => one.name === name),
        1,
      )[0]
      ?.leave();
  const names = () => running.map(({ name }) => name);
  const delays = () => refused.map((error) => heedRetryInfo(error, 0));
  return { clock, queue, running, refused, call, calls, leave, names, delays };
}

const settled = async (turns = 5): Promise<void> => {
  for (let n = 0; n < turns; n += 1) await turn();
};

describe('CallQueue', () => {
  it('lets calls in at once while there is room', () => {
    const { queue } = world();
    expect(queue.enter(1, () => never)).toBeTypeOf('function');
  });

  it('has all its room again when all have left, whatever their costs add up to', async () => {
    const { call, names, leave } = world();
    const costs = [0.1, 0.2, 0.3].map((cost) => ({ name: String(cost), cost }));
    for (const { name, cost } of costs) await call(name, cost);
    for (const { name } of costs) leave(name); // 0.1 + 0.2 + 0.3 - 0.1 - 0.2 - 0.3 is not 0
    void call('great', 150);
    await settled();
    expect(names()).toEqual(['great']);
  });

  it('runs what costs no more together than it may, in the order of arrival', async () => {
    const { call, names, leave } = world({ running: 10 });
    for (const [name, cost] of [
      ['a', 6],
      ['b', 3],
      ['c', 6],
      ['d', 1],
    ] as const)
      void call(name, cost);
    await settled();
    expect(names()).toEqual(['a', 'b']);
    leave('b');
    await settled();
    expect(names()).toEqual(['a']);
    leave('a');
    await settled();
    expect(names()).toEqual(['c', 'd']);
  });

  it('runs alone what costs more than all that may run', async () => {
    const { call, names, leave } = world({ running: 10 });
    void call('small', 1);
    void call('huge', 50);
    void call('after', 1);
    await settled();
    expect(names()).toEqual(['small']);
    leave('small');
    await settled();
    expect(names()).toEqual(['huge']);
    leave('huge');
    await settled();
    expect(names()).toEqual(['after']);
  });

  it('begins no more in one turn of the event loop than is good for others', async () => {
    const { calls, running } = world({ running: 100, perTurn: 4 });
    calls(10, 2);
    await Promise.resolve();
    const perTurn = [running.length];
    for (let turns = 0; turns < 6; turns += 1) {
      const before = running.length;
      await turn();
      perTurn.push(running.length - before);
    }
    expect(running).toHaveLength(10);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2);
  });

  it('refuses what would wait too long, and tells each of them a later time', async () => {
    const { calls, queue, refused, delays } = world({ running: 10, wait: 5 });
    calls(4000, 1);
    await settled();
    // 10 run, and 500 a second were thought possible.
    expect(queue.waiting).toBe(2500);
    expect(refused).toHaveLength(4000 - 2510);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set([Code.UNAVAILABLE]));
    const told = delays();
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told[0]).toBeCloseTo(5, 1);
    expect(told.at(-1)).toBeCloseTo(5 + 1489 / 500, 1);
  });

  it('sends nobody away for longer than two minutes', async () => {
    const { calls, delays } = world({ running: 1, wait: 1 });
    calls(5000, 20);
    await settled();
    expect(Math.max(...delays())).toBe(120);
  });

  it('learns how fast it is', async () => {
    const { clock, calls, leave, call, refused, running } = world({ running: 1, perTurn: 1000, wait: 5 });
    calls(2000, 1);
    // A twentieth of what was thought.
    for (let second = 0; second < 8; second += 1) {
      for (let n = 0; n < 25; n += 1) {
        leave(running[0]?.name ?? '');
        await settled(2);
      }
      await clock.advance(1);
    }
    expect(refused).toHaveLength(0);
    await call('one more', 1);
    expect(heedRetryInfo(refused[0], 0)).toBeGreaterThan(30);
  });

  it('forgets who has gone while it waited', async () => {
    const { call, queue, names, leave } = world({ running: 1 });
    const gone = new AbortController();
    void call('first', 1);
    const waiting = call('gone', 1, gone.signal);
    void call('next', 1);
    gone.abort(new RangeError('gone'));
    await expect(waiting).rejects.toThrow(RangeError);
    leave('first');
    await settled();
    expect(names()).toEqual(['next']);
    expect(queue.waiting).toBe(0);
  });

  it('lets a place go once only', async () => {
    const { queue, call, names } = world({ running: 1 });
    const leave = await queue.enter(1, () => never);
    void call('a', 1);
    void call('b', 1);
    leave();
    leave();
    await settled();
    expect(names()).toEqual(['a']);
  });
});
