import { afterEach, describe, expect, it } from 'vitest';
import { goJson, goStructJson } from './json.ts';
import { quote } from './quote.ts';
import { localTime, rfc3339, utcTime } from './time.ts';

describe('quote', () => {
  it.each([
    ['plain', '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\t\n\u0000\u007f', '"\\t\\n\\x00\\x7f"'],
    ['häßlich 名', '"häßlich 名"'],
    ['\u200b\u{e0001}', '"\\u200b\\U000e0001"'],
  ])('of %j', (text, expected) => {
    expect(quote(text)).toBe(expected);
  });
});

describe('goJson', () => {
  it('sorts keys, escapes what HTML could read, and leaves nulls out', () => {
    expect(goJson({ b: '<&>', a: [{ d: null, c: 1 }, null] })).toBe('{"a":[{"c":1}],"b":"\\u003c\\u0026\\u003e"}');
  });

  it('keeps the order of a plain value', () => {
    expect(goStructJson({ b: 1, a: '>' })).toBe('{"b":1,"a":"\\u003e"}');
  });
});

describe('times', () => {
  const { TZ } = process.env;
  afterEach(() => {
    if (TZ === undefined) delete process.env['TZ'];
    else process.env['TZ'] = TZ;
  });

  it('in universal time', () => {
    expect(utcTime(1_764_079_200)).toBe('2025-11-25 14:00:00 +0000 UTC');
    expect(rfc3339(1_764_079_200)).toBe('2025-11-25T14:00:00Z');
  });

  it.each([
    ['UTC', '2025-11-25 14:00:00 +0000 UTC'],
    ['Europe/Berlin', '2025-11-25 15:00:00 +0100 CET'],
    ['America/New_York', '2025-11-25 09:00:00 -0500 EST'],
    ['Asia/Kathmandu', '2025-11-25 19:45:00 +0545 +0545'],
  ])('in %s', (zone, expected) => {
    process.env['TZ'] = zone;
    expect(localTime(1_764_079_200)).toBe(expected);
  });
});
