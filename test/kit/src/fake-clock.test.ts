import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';

describe('FakeClock', () => {
  it('stands still', () => {
    const clock = new FakeClock(100);
    expect([clock.now(), clock.monotonic()]).toEqual([100, 0]);
  });

  it('wakes sleepers in order of their moments, each seeing its own', async () => {
    const clock = new FakeClock(0);
    const seen: string[] = [];
    const sleeper = async (name: string, ...pauses: number[]) => {
      for (const pause of pauses) {
        await clock.sleep(pause);
        seen.push(`${name} at ${clock.now()}`);
      }
    };
    const all = Promise.all([sleeper('slow', 5), sleeper('quick', 2, 2, 2)]);
    await clock.advance(5);
    expect(seen).toEqual(['quick at 2', 'quick at 4', 'slow at 5']);
    await clock.advance(1);
    await all;
    expect(seen.at(-1)).toBe('quick at 6');
  });

  it('lets an aborted sleeper go and forgets it', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    expect(clock.sleeping).toBe(1);
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ name: 'AbortError' });
    expect(clock.sleeping).toBe(0);
    await expect(clock.sleep(1, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('tells when something has come to its pause', async () => {
    const clock = new FakeClock();
    setImmediate(() => void clock.sleep(7));
    await clock.settled();
    expect(clock.untilNext).toBe(7);
  });

  it('jumps without waking anybody', () => {
    const clock = new FakeClock(0);
    void clock.sleep(10);
    clock.jumpTo(1000);
    expect(clock.sleeping).toBe(1);
  });
});
