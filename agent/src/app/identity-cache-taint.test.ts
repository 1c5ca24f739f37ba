import { FakeClock, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { entryOf, stocked } from '../testing/fixtures.ts';
import { IdentityCache } from './identity-cache.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });
let cache: IdentityCache;

beforeEach(() => {
  cache = new IdentityCache(domain.trustDomain, clock.now);
  cache.apply({ bundles: [domain.bundle] });
  cache.markSynced();
});

describe('IdentityCache with a compromised root', () => {
  it('does not keep what was on its way when its root was found to be compromised', async () => {
    const entry = entryOf(domain, 'a');
    const [root] = domain.bundle.x509Authorities;
    if (root === undefined) throw new Error('no root');
    const late = await stocked(domain, entry);
    cache.apply({ entries: [entry] });
    cache.apply({ bundles: [domain.bundle.with({ sequence: 9n, x509Authorities: [{ ...root, tainted: true }] })] });
    expect(cache.holdsTainted).toBe(false);
    cache.apply({ svids: [late] });
    expect(cache.holdsTainted).toBe(true);
    // Not at once: a server that signs under it again must not be asked without pause.
    expect(cache.due(clock.now())).toEqual([]);
    expect(cache.due(clock.now() + 5)).toEqual([entry]);
  });

  it('replaces at once what is under a tainted root, and only that', async () => {
    const a = entryOf(domain, 'a');
    cache.apply({ entries: [a], svids: [await stocked(domain, a)] });
    expect(cache.due(clock.now())).toEqual([]);
    const [root] = domain.bundle.x509Authorities;
    if (root === undefined) throw new Error('no root');
    cache.apply({ bundles: [domain.bundle.with({ sequence: 9n, x509Authorities: [{ ...root, tainted: true }] })] });
    expect(cache.due(clock.now())).toHaveLength(1);
    cache.apply({ svids: [await stocked(domain, a)] });
    expect(cache.due(clock.now())).toEqual([]);
  });
});
