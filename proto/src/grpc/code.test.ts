import { expect, it } from 'vitest';
import { Code, errorCodeOf, statusName } from './code.ts';

it('prints codes as gRPC tools do', () => {
  expect([0, 1, 3, 7, 14, 99].map(statusName)).toEqual([
    'OK',
    'Canceled',
    'InvalidArgument',
    'PermissionDenied',
    'Unavailable',
    'Code(99)',
  ]);
});

it('takes any number that is no error code for UNKNOWN', () => {
  expect([0, -1, 17, 2.5, '7', undefined].map(errorCodeOf)).toEqual(Array(6).fill(Code.UNKNOWN));
  expect(errorCodeOf(7)).toBe(Code.PERMISSION_DENIED);
});
