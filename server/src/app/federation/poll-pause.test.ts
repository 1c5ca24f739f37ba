import { TrustBundle, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { pollPause } from './poll-pause.ts';

const hinting = (refreshHint: number) => TrustBundle.of(TrustDomain.parse('b.test'), { refreshHint });

describe('the pause between two fetches', () => {
  it('is the hint within bounds, five minutes without one', () => {
    const pauses = [undefined, hinting(0), hinting(60), hinting(3600), hinting(1), hinting(10 ** 7)].map((bundle) =>
      pollPause(bundle, 0, 0),
    );
    expect(pauses).toEqual([300, 300, 60, 3600, 60, 86_400]);
  });

  it('grows by a tenth at most, so that servers do not ask in step', () => {
    expect(pollPause(hinting(600), 0, 0.5)).toBe(630);
  });

  it('is shorter after failures, but never below a minute nor above the ordinary one', () => {
    const after = (hint: number) => [1, 2, 3, 4, 5, 100].map((failures) => pollPause(hinting(hint), failures, 0));
    expect(after(600)).toEqual([60, 120, 240, 480, 600, 600]);
    expect(after(60)).toEqual([60, 60, 60, 60, 60, 60]);
    expect(pollPause(undefined, 1, 0)).toBe(60);
  });
});
