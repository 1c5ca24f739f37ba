import { Code, heedRetryInfo } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import { RateLimiter } from './rate-limit.ts';

/** A clock whose sleeps are noted, and end at once, when it is turned, or when aborted. */
class TestClock implements Clock {
  time = 100;
  slept: number[] = [];
  instant = true;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
  async sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(seconds);
    if (this.instant) return;
    await new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')), { once: true });
    });
  }
}

describe('RateLimiter', () => {
  it('gives a burst at once, then makes callers wait in turn', async () => {
    const clock = new TestClock();
    const limiter = new RateLimiter({ rate: 2, burst: 3, clock });
    for (let n = 0; n < 6; n++) await limiter.take('a');
    expect(clock.slept).toEqual([0.5, 1, 1.5]);
    clock.time += 100;
    clock.slept = [];
    await limiter.take('a', 3);
    await limiter.take('a');
    expect(clock.slept).toEqual([0.5]);
  });

  it('refuses who would wait too long, says when to come again, and takes nothing from it', async () => {
    const clock = new TestClock();
    const limiter = new RateLimiter({ rate: 2, burst: 2, maxWait: 1, clock });
    for (let n = 0; n < 4; n++) await limiter.take('a');
    const refused = await limiter.take('a').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    expect(heedRetryInfo(refused, 0)).toBe(1.5);
    clock.time += 0.5;
    await limiter.take('a');
    expect(clock.slept).toEqual([0.5, 1, 1]);
  });

  it('tells at once whether there are tokens, to those who do not wait', async () => {
    const clock = new TestClock();
    const limiter = new RateLimiter({ rate: 2, clock });
    expect([1, 2, 3].map(() => limiter.tryTake('a'))).toEqual([true, true, false]);
    expect(limiter.tryTake('b', 3)).toBe(false);
    expect(limiter.tryTake('b', 2)).toBe(true);
    clock.time += 0.5;
    expect([1, 2].map(() => limiter.tryTake('a'))).toEqual([true, false]);
    expect(clock.slept).toEqual([]);
  });

  it('keeps keys apart', async () => {
    const clock = new TestClock();
    const limiter = new RateLimiter({ rate: 1, clock });
    await limiter.take('a');
    await limiter.take('b');
    await limiter.take('__proto__');
    expect(clock.slept).toEqual([]);
  });

  it('refuses what never can be had', async () => {
    const limiter = new RateLimiter({ rate: 5, clock: new TestClock() });
    await expect(limiter.take('a', 6)).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    await limiter.take('a', 5);
  });

  it('gives back what an aborted caller did not use, and throws the reason', async () => {
    const clock = new TestClock();
    clock.instant = false;
    const limiter = new RateLimiter({ rate: 1, clock });
    await limiter.take('a');
    const controller = new AbortController();
    const waiting = limiter.take('a', 1, controller.signal);
    controller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await expect(limiter.take('a', 1, controller.signal)).rejects.toThrow('left');
    clock.instant = true;
    await limiter.take('a');
    expect(clock.slept).toEqual([1, 1]);
  });

  it('remembers a bounded number of keys, and forgets full ones first', async () => {
    const clock = new TestClock();
    const limiter = new RateLimiter({ rate: 1, clock, maxKeys: 3 });
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await limiter.take(key);
    expect(limiter.keys).toBe(3);
    // d, e and f shared one bucket.
    expect(clock.slept).toEqual([1, 2]);
    clock.time += 1;
    await limiter.take('g');
    expect(limiter.keys).toBe(1);
  });

  it('does not take nonsense for a rate', () => {
    for (const rate of [0, -1, Number.NaN]) {
      expect(() => new RateLimiter({ rate, clock: new TestClock() })).toThrow(RangeError);
    }
  });
});
