import { expect, it } from 'vitest';
import { ConnectionLimits } from './connection-limits.ts';

it('limits each owner and the total, and takes back what left', () => {
  const limits = new ConnectionLimits(3, 2);
  const first = limits.admit(1);
  expect(limits.admit(1)).toBeDefined();
  expect(limits.admit(1)).toBeUndefined();
  const other = limits.admit(2);
  expect(limits.admit(2)).toBeUndefined();
  expect(limits.count).toBe(3);
  other?.();
  other?.();
  expect(limits.count).toBe(2);
  expect(limits.admit(1)).toBeUndefined();
  first?.();
  expect(limits.admit(1)).toBeDefined();
});
