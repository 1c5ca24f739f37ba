import { describe, expect, it } from 'vitest';
import { backoff } from './backoff.ts';

const shape = { initial: 1, max: 10, multiplier: 2, jitter: 0.2 };

describe('backoff', () => {
  it('grows by the multiplier up to the maximum', () => {
    expect([0, 1, 2, 3, 4, 5, 50, 5000].map((attempt) => backoff(attempt, 0.5, shape))).toEqual([
      1, 1, 2, 4, 8, 10, 10, 10,
    ]);
  });

  it('spreads by the jitter to both sides and is never negative', () => {
    expect(backoff(1, 0, shape)).toBeCloseTo(0.8);
    expect(backoff(1, 0.999999, shape)).toBeCloseTo(1.2);
    expect(backoff(1, 0, { ...shape, jitter: 3 })).toBe(0);
  });
});
