import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkValue } from './check-config.ts';
import { flag, integer } from './scalars.ts';

const schema = z.strictObject({
  port: integer(z.int().min(1).max(65_535)).default(80),
  on: flag().default(false),
  count: integer().optional(),
});
const read = (value: object) => checkValue(schema, value);

describe('scalars as SPIRE writes them', () => {
  it('reads numbers and switches, also from texts', () => {
    expect(read({ port: '8081', on: 'true', count: '-3' })).toEqual({ port: 8081, on: true, count: -3 });
    expect(read({ port: 8081, on: false })).toEqual({ port: 8081, on: false });
    expect(read({})).toEqual({ port: 80, on: false });
  });

  it.each([
    { port: '0' },
    { port: '8081x' },
    { port: '' },
    { port: ' 1' },
    { port: '1.5' },
    { port: 1.5 },
    { port: '1'.repeat(16) },
    { port: true },
    { on: 'yes' },
    { on: 'TRUE' },
    { on: 1 },
  ])('refuses %j', (value) => {
    expect(() => read(value)).toThrow(new RegExp(Object.keys(value)[0] ?? ''));
  });
});
