import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, SECOND } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0n],
    ['0s', 0n],
    ['5s', 5n * SECOND],
    ['+5s', 5n * SECOND],
    ['-5s', -5n * SECOND],
    ['1h30m', 5400n * SECOND],
    ['1.5h', 5400n * SECOND],
    ['.5s', SECOND / 2n],
    ['1.s', SECOND],
    ['1m0.001s', 60n * SECOND + 1_000_000n],
    ['2us', 2000n],
    ['2µs', 2000n],
    ['3ns', 3n],
    ['2562047h', 2562047n * 3600n * SECOND],
  ])('reads %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['.s', 'time: invalid duration ".s"'],
    ['5', 'time: missing unit in duration "5"'],
    ['1h5', 'time: missing unit in duration "1h5"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['5 s', 'time: unknown unit " s" in duration "5 s"'],
    ['9999999h', 'time: invalid duration "9999999h"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDuration(text)).toThrow(message);
  });
});

describe('formatDuration', () => {
  it.each([
    [0n, '0s'],
    [1n, '1ns'],
    [1_500n, '1.5µs'],
    [2_000_000n, '2ms'],
    [SECOND, '1s'],
    [(SECOND * 3n) / 2n, '1.5s'],
    [90n * SECOND, '1m30s'],
    [2_592_000n * SECOND, '720h0m0s'],
    [-60n * SECOND, '-1m0s'],
  ])('writes %s', (nanoseconds, expected) => {
    expect(formatDuration(nanoseconds)).toBe(expected);
    expect(parseDuration(expected)).toBe(nanoseconds);
  });
});
