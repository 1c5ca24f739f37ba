import { describe, expect, it } from 'vitest';
import { TrustDomain } from '../id/trust-domain.ts';
import { errorOf } from '../testing/error-of.ts';
import { readVectors } from '../testing/read-vectors.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { formatBundleMap, parseBundleMap } from './bundle-map.ts';
import { tokenAuthority } from './token-authority.ts';
import { TrustBundle } from './trust-bundle.ts';

interface MapCase {
  name: string;
  text: string;
  domains?: string[];
  code?: string;
  rule?: string | null;
}
const vectors = readVectors('bundles.json') as { maps: MapCase[] };
const bundleOf = (name: string, refreshHint = 0) =>
  TrustBundle.of(TrustDomain.parse(name), {
    jwtAuthorities: [tokenAuthority('k', TEST_KEYS.p256.publicKey)],
    sequence: 3n,
    refreshHint,
  });

describe('parseBundleMap', () => {
  it.each(vectors.maps)('judges: $name', ({ text, domains, code, rule }) => {
    if (domains === undefined) {
      const error = errorOf(() => parseBundleMap(text));
      expect({ code: error.code, rule: error.rule ?? null }).toEqual({ code, rule: rule ?? null });
      return;
    }
    const names = parseBundleMap(text).list();
    expect(names.map(({ trustDomain }) => trustDomain.name)).toEqual(domains);
  });

  it('ignores refresh hints under either name (BMAP-05, A4)', () => {
    const text = '{"trust_domains":{"b.test":{"keys":[],"spiffe_refresh_hint":1,"refresh_hint":1}}}';
    expect(parseBundleMap(text).get(TrustDomain.parse('b.test'))?.refreshHint).toBe(0);
  });

  it('tells whose entries were left out', () => {
    const seen: unknown[] = [];
    parseBundleMap('{"trust_domains":{"a.test":{"keys":[]},"b.test":{"keys":[{"use":"sig"}]}}}', {
      onIgnored: (trustDomain, { index }) => seen.push([trustDomain.name, index]),
    });
    expect(seen).toEqual([['b.test', 0]]);
  });
});

describe('formatBundleMap', () => {
  it('writes names and no hints (BMAP-01, BMAP-04), and comes back', () => {
    expect(formatBundleMap([])).toBe('{"trust_domains":{}}');
    const names = ['b.test', 'a.test', '__proto__', '7'];
    const text = formatBundleMap(names.map((name) => bundleOf(name, 60)));
    expect(text).not.toContain('hint');
    const again = parseBundleMap(text);
    for (const name of names) expect(again.get(TrustDomain.parse(name))?.equals(bundleOf(name))).toBe(true);
    expect(again.list()).toHaveLength(4);
  });

  it('refuses a trust domain that is there twice (BMAP-02)', () => {
    expect(errorOf(() => formatBundleMap([bundleOf('a.test'), bundleOf('a.test')])).rule).toBe('BMAP-02');
  });
});
