import { describe, expect, it } from 'vitest';
import { expiry, relativeTime, span } from './relative-time.ts';

describe('relative times', () => {
  it.each([
    [2520, 'in 42m'],
    [5400, 'in 1h30m'],
    [90_061, 'in 1d1h'],
    [0, 'in 0s'],
    [-10_800, '3h ago'],
    [-59, '59s ago'],
  ])('%d seconds from now is %s', (offset, words) => {
    expect(relativeTime(1_000_000 + offset, 1_000_000)).toBe(words);
  });

  it('says never for an absent time', () => {
    expect(relativeTime(0, 5)).toBe('never');
    expect(expiry(0, 5)).toBe('never');
  });

  it('says that something has expired', () => {
    expect(expiry(100, 160)).toBe('expired 1m ago');
  });

  it('shows at most two units', () => {
    expect(span(86_400 + 3600 + 60 + 1)).toBe('1d1h');
  });
});
