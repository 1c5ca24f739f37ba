import { describe, expect, it } from 'vitest';
import { seconds, wholeSeconds } from './flags.ts';

const read = (ttl: string): number => seconds({ ttl }, 'ttl', '--ttl');

describe('a duration on the command line', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['500ms', 0.5],
    ['7d', 604_800],
    ['1.5d', 129_600],
    ['1d12h', 129_600],
    ['0', 0],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each(['', 'soon', '1x', '-1h', '+1h', '1d-1h', '1h1d', 'd', '1 h', '1d2d', 'Infinity', '1e3s'])(
    '%j is none',
    (text) => {
      expect(() => read(text)).toThrow(`--ttl: '${text}' is not a duration`);
    },
  );

  it('is nothing when it is absent, and whole seconds never become none or more than a message carries', () => {
    expect(seconds({}, 'ttl', '--ttl')).toBe(0);
    expect(wholeSeconds({ ttl: '1ms' }, 'ttl', '--ttl')).toBe(1);
    expect(wholeSeconds({ ttl: '2147483647' }, 'ttl', '--ttl')).toBe(2 ** 31 - 1);
    for (const ttl of ['2147483648', '24856d', '9999999h']) {
      expect(() => wholeSeconds({ ttl }, 'ttl', '--ttl')).toThrow(`--ttl: '${ttl}' is too long`);
    }
  });
});
