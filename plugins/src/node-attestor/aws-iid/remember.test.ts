import { expect, it } from 'vitest';
import { remember } from './remember.ts';

it('remembers a thousand, the latest used', () => {
  const map = new Map<string, number>();
  for (let index = 0; index < 1000; index++) remember(map, String(index), index);
  expect(remember(map, '0', 0)).toBe(0);
  remember(map, 'new', 1);
  expect(map.size).toBe(1000);
  expect([map.has('0'), map.has('1'), map.has('new')]).toEqual([true, false, true]);
});
