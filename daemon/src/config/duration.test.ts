import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { suggest } from './suggest.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['1h30m', 5400],
    ['500ms', 0.5],
    ['1.5h', 5400],
    ['-1.5s', -1.5],
    ['+2m', 120],
    ['.5s', 0.5],
    ['1.s', 1],
    ['100us', 1e-4],
    ['100µs', 1e-4],
    ['1h1m1s1ms', 3661.001],
    ['720h', 2_592_000],
    ['10m10m', 1200],
  ])('%s is %d s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    '',
    '1',
    '-',
    '+',
    '1d',
    '1 h',
    ' 1h',
    '1h ',
    'h',
    '.s',
    '1..5s',
    '1h-1m',
    '1e3s',
    '0x1s',
    '--1s',
    '١h',
    '1H',
  ])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });

  it('refuses what Go cannot hold', () => {
    expect(parseDuration('2562047h')).toBe(9_223_369_200);
    expect(() => parseDuration('2562048h')).toThrow('too long');
    expect(() => parseDuration(`${'9'.repeat(400)}h`)).toThrow(RangeError);
  });

  it('reads back what formatDuration writes', () => {
    const milliseconds = fc.integer({ min: -1e12, max: 1e12 });
    fc.assert(
      fc.property(milliseconds, (ms) => {
        expect(parseDuration(formatDuration(ms / 1000))).toBeCloseTo(ms / 1000, 3);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [5400, '1h30m0s'],
    [90, '1m30s'],
    [1.5, '1.5s'],
    [0.5, '500ms'],
    [0.0001, '100µs'],
    [-60, '-1m0s'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it('refuses what is no number', () => {
    expect(() => formatDuration(Number.NaN)).toThrow(RangeError);
  });
});

describe('suggest', () => {
  const known = ['trust_domain', 'bind_port', 'bind_address', 'ca_ttl'];

  it.each([
    ['trustDomain', 'trust_domain'],
    ['trust-domain', 'trust_domain'],
    ['turst_domain', 'trust_domain'],
    ['bind_prot', 'bind_port'],
    ['bind_adress', 'bind_address'],
    ['cattl', 'ca_ttl'],
    ['zzz', undefined],
    ['', undefined],
  ])('%s: %s', (word, meant) => {
    expect(suggest(word, known)).toBe(meant);
  });

  it('bounds its work', () => {
    expect(suggest('x'.repeat(1_000_000), known)).toBeUndefined();
  });
});
