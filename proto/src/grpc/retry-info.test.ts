import { describe, expect, it } from 'vitest';
import { Code } from './code.ts';
import { heedRetryInfo, retryInfo } from './retry-info.ts';
import { GrpcError } from './status.ts';

const busy = (...details: ReturnType<typeof retryInfo>[]) => GrpcError.of(Code.UNAVAILABLE, 'busy', ...details);

describe('RetryInfo', () => {
  it.each([
    ['more than one would wait', busy(retryInfo(7.5)), 7.5],
    ['less than one would wait', busy(retryInfo(0.25)), 2],
    ['nothing', busy(), 2],
    ['an hour', busy(retryInfo(3600)), 300],
    ['a time long past', busy(retryInfo(-5)), 2],
    ['something unreadable', busy({ ...retryInfo(7), value: Uint8Array.of(0xff, 0xff) }), 2],
  ])('asking for %s', (_what, error, expected) => {
    expect(heedRetryInfo(error, 2)).toBe(expected);
  });

  it('is looked for in errors of calls only', () => {
    expect(heedRetryInfo(new Error('other'), 2)).toBe(2);
    expect(heedRetryInfo(undefined, 2)).toBe(2);
  });
});
