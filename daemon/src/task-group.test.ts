import { describe, expect, it } from 'vitest';
import { createLogger, silentLogger } from './logger.ts';
import { TaskGroup } from './task-group.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('TaskGroup', () => {
  it('waits until every task has ended', async () => {
    const group = new TaskGroup(silentLogger);
    const order: string[] = [];
    group.run('a', async () => {
      await Promise.resolve();
      group.run('late', async () => void order.push('late'));
      order.push('a');
    });
    await group.wait();
    expect(order.toSorted()).toEqual(['a', 'late']);
  });

  it('stops the last started first, each awaited before the next', async () => {
    const group = new TaskGroup(silentLogger);
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      group.run(name, async (signal) => {
        await untilAborted(signal).catch(() => order.push(`${name} stopping`));
        await new Promise((resolve) => setTimeout(resolve, 1));
        order.push(`${name} gone`);
      });
    }
    await group.stop();
    expect(order).toEqual(['c stopping', 'c gone', 'b stopping', 'b gone', 'a stopping', 'a gone']);
    await group.wait();
  });

  it('ends everything with the first failure, and says which', async () => {
    const lines: string[] = [];
    const group = new TaskGroup(createLogger({ write: (line) => lines.push(line) }));
    let stopped = false;
    group.run('steady', (signal) =>
      untilAborted(signal).finally(() => {
        stopped = true;
      }),
    );
    group.run('failing', () => Promise.reject(new Error('first')));
    await expect(group.wait()).rejects.toThrow('first');
    expect(stopped).toBe(true);
    expect(lines.join('')).toMatch(/msg="Task failed" error=first task=failing/);
  });

  it('keeps the first failure when stopping fails too', async () => {
    const group = new TaskGroup(silentLogger);
    group.run('grumpy', (signal) =>
      untilAborted(signal).catch(() => {
        throw new Error('second');
      }),
    );
    group.run('failing', () => Promise.reject(new Error('first')));
    await expect(group.wait()).rejects.toThrow('first');
  });

  it('catches a task that throws before it returns a promise', async () => {
    const group = new TaskGroup(silentLogger);
    group.run('sync', () => {
      throw new Error('at once');
    });
    await expect(group.wait()).rejects.toThrow('at once');
  });

  it('keeps a failure for those who wait later', async () => {
    const group = new TaskGroup(silentLogger);
    group.run('short', () => Promise.resolve());
    await group.wait();
    group.run('failing', () => Promise.reject(new Error('later')));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(group.wait()).rejects.toThrow('later');
    await expect(group.wait()).rejects.toThrow('later');
  });

  it('does not fail when stopping does', async () => {
    const group = new TaskGroup(silentLogger);
    group.run('grumpy', (signal) =>
      untilAborted(signal).catch(() => {
        throw new Error('grumpy');
      }),
    );
    await group.stop();
    await group.wait();
  });

  it('treats an AbortError of something else as a failure', async () => {
    const group = new TaskGroup(silentLogger);
    group.run('other', () => Promise.reject(new DOMException('not mine', 'AbortError')));
    await expect(group.wait()).rejects.toThrow('not mine');
  });

  it('starts nothing once stopping has begun', async () => {
    const group = new TaskGroup(silentLogger);
    group.run('a', untilAborted);
    const stopping = group.stop();
    expect(() => group.run('b', untilAborted)).toThrow('the group is stopping');
    await stopping;
    await group.stop();
  });

  it('stops with the signal it was given, even one that has aborted', async () => {
    const abort = new AbortController();
    const group = new TaskGroup(silentLogger, abort.signal);
    group.run('a', untilAborted);
    abort.abort();
    await group.wait();
    const late = new TaskGroup(silentLogger, abort.signal);
    expect(() => late.run('b', untilAborted)).toThrow('stopping');
    await late.wait();
  });

  it('is disposable', async () => {
    let stopped = false;
    {
      await using group = new TaskGroup(silentLogger);
      group.run('a', (signal) =>
        untilAborted(signal).finally(() => {
          stopped = true;
        }),
      );
    }
    expect(stopped).toBe(true);
  });
});
