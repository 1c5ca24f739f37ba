import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

afterEach(() => vi.useRealTimers());

describe('systemClock', () => {
  it('counts Unix seconds', () => {
    const before = Date.now() / 1000;
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now() / 1000);
  });

  it('never goes back', () => {
    const samples = Array.from({ length: 1000 }, () => systemClock.monotonic());
    expect(samples).toEqual(samples.toSorted((a, b) => a - b));
  });

  it('sleeps not at all for zero or less', async () => {
    await systemClock.sleep(0);
    await systemClock.sleep(-5);
  });

  it('wakes with an AbortError', async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(3600, abort.signal);
    abort.abort();
    await expect(sleeping).rejects.toMatchObject({ name: 'AbortError' });
    await expect(systemClock.sleep(3600, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await expect(systemClock.sleep(0, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('does not wake at once from more than a timer can hold', async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(365 * 86_400, abort.signal);
    const first = await Promise.race([sleeping.then(() => 'woke'), systemClock.sleep(0.05).then(() => 'asleep')]);
    abort.abort();
    await expect(sleeping).rejects.toThrow();
    expect(first).toBe('asleep');
  });

  it('refuses NaN', async () => {
    await expect(systemClock.sleep(Number.NaN)).rejects.toThrow(RangeError);
  });
});
