import { TrustBundle, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { takeFetchedBundle } from './federated-bundle.ts';

const other = TrustDomain.parse('b.test');
const bundle = (sequence: bigint, refreshHint = 0) => TrustBundle.of(other, { sequence, refreshHint });

describe('a fetched bundle', () => {
  it('is taken when it is the first, newer, without a number, or has another hint', () => {
    const pairs: [TrustBundle | undefined, TrustBundle][] = [
      [undefined, bundle(7n)],
      [bundle(7n), bundle(8n)],
      [bundle(7n), bundle(0n)],
      [bundle(0n), bundle(1n)],
      [bundle(7n, 60), bundle(7n, 300)],
    ];
    for (const [stored, fetched] of pairs) expect(takeFetchedBundle(stored, fetched)).toBe(fetched);
  });

  it('changes nothing when it is the stored one', () => {
    const stored = bundle(7n, 60);
    expect(takeFetchedBundle(stored, bundle(7n, 60))).toBe(stored);
  });

  it('is refused when it is older than the stored one, also beyond 2^53', () => {
    const stored = bundle(9_007_199_254_740_993n);
    expect(() => takeFetchedBundle(stored, bundle(9_007_199_254_740_992n))).toThrow(/older than the stored/);
  });
});
