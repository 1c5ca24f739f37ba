import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpiffeError } from '../errors.ts';
import { errorOf } from '../testing/error-of.ts';
import { readVectors } from '../testing/read-vectors.ts';
import { matchAny, matchExactly, matchMemberOf, matchOneOf } from './match.ts';
import { SpiffeId } from './spiffe-id.ts';
import { TrustDomain } from './trust-domain.ts';

interface Vectors {
  valid: { text: string; trustDomain: string; path: string }[];
  invalid: { text: string; rule: string; why: string }[];
  trustDomain: { valid: { text: string; name: string }[]; invalid: string[] };
  segments: { valid: { segments: string[]; path: string }[]; invalid: string[][] };
  path: { valid: string[]; invalid: string[] };
}
const vectors = readVectors('spiffe-id.json') as Vectors;
const td = TrustDomain.parse('trustdomain');

describe('SpiffeId.parse', () => {
  it.each(vectors.valid)('accepts $text unchanged', ({ text, trustDomain, path }) => {
    const id = SpiffeId.parse(text);
    expect([id.trustDomain.name, id.path, id.toString(), JSON.stringify(id)]).toEqual([
      trustDomain,
      path,
      text,
      JSON.stringify(text),
    ]);
  });

  it.each(vectors.invalid)('refuses $why: $text', ({ text, rule }) => {
    expect(errorOf(() => SpiffeId.parse(text))).toMatchObject({ code: 'invalid-id', rule });
  });

  it('allows exactly 39 code points in the host and 65 in the path', () => {
    const accepted = (prefix: string) =>
      Array.from({ length: 0x3000 }, (_, point) => point).filter((point) => {
        try {
          SpiffeId.parse(`${prefix}${String.fromCodePoint(point)}`);
          return true;
        } catch {
          return false;
        }
      });
    const host = accepted('spiffe://td');
    const path = accepted('spiffe://td/path');
    expect(String.fromCodePoint(...host)).toBe('-.0123456789_abcdefghijklmnopqrstuvwxyz');
    expect(String.fromCodePoint(...path)).toBe('-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz');
  });

  it('draws the line at 2048 bytes, and at 255 for the trust domain', () => {
    const longest = `spiffe://td/${'a'.repeat(2048 - 12)}`;
    expect(SpiffeId.parse(longest).toString()).toHaveLength(2048);
    expect(errorOf(() => SpiffeId.parse(`${longest}a`)).rule).toBe('ID-18');
    expect(errorOf(() => SpiffeId.of(td, `/${'a'.repeat(2048)}`)).rule).toBe('ID-18');
    expect(SpiffeId.parse(`spiffe://${'a'.repeat(255)}/p`).trustDomain.name).toHaveLength(255);
    expect(errorOf(() => SpiffeId.parse(`spiffe://${'a'.repeat(256)}/p`)).rule).toBe('ID-19');
    expect(errorOf(() => TrustDomain.parse('a'.repeat(256))).rule).toBe('ID-19');
    expect(errorOf(() => SpiffeId.parse(`spiffe://td/${'a/'.repeat(5_000_000)}`)).rule).toBe('ID-18');
  });

  it('gives back every text it accepts, and refuses the rest with a SpiffeError only', () => {
    const soup = fc.string({ unit: fc.constantFrom(...Array.from('spiffe:/.-_%aZ9?#@ é\n')) });
    fc.assert(
      fc.property(
        fc.oneof(
          soup,
          soup.map((tail) => `spiffe://td/${tail}`),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            const id = SpiffeId.parse(text);
            expect(id.toString()).toBe(text);
            expect(SpiffeId.of(id.trustDomain, id.path).equals(id)).toBe(true);
            expect(text).toMatch(/^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)*$/);
          } catch (error) {
            expect(error).toBeInstanceOf(SpiffeError);
          }
        },
      ),
    );
  });

  it('accepts everything the grammar makes', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/).filter((text) => text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9._-]{1,40}$/), fc.array(segment, { maxLength: 8 }), (host, segments) => {
        const id = SpiffeId.fromSegments(TrustDomain.parse(host), ...segments);
        expect(SpiffeId.parse(`spiffe://${[host, ...segments].join('/')}`).equals(id)).toBe(true);
      }),
    );
  });
});

describe('parts', () => {
  it.each(vectors.segments.valid)('joins $segments', ({ segments, path }) => {
    expect(SpiffeId.fromSegments(td, ...segments).path).toBe(path);
  });
  it.each(vectors.segments.invalid.map((segments) => ({ segments })))('refuses segments $segments', ({ segments }) => {
    expect(errorOf(() => SpiffeId.fromSegments(td, ...segments)).code).toBe('invalid-id');
  });
  it.each(vectors.path.valid)('accepts path "%s"', (path) => {
    expect(SpiffeId.of(td, path).toString()).toBe(`spiffe://trustdomain${path}`);
  });
  it.each(vectors.path.invalid)('refuses path "%s"', (path) => {
    expect(errorOf(() => SpiffeId.of(td, path)).code).toBe('invalid-id');
  });
});

describe('TrustDomain', () => {
  it.each(vectors.trustDomain.valid)('takes $name from $text', ({ text, name }) => {
    const trustDomain = TrustDomain.fromIdOrName(text);
    expect([trustDomain.name, trustDomain.id, String(trustDomain)]).toEqual([name, `spiffe://${name}`, name]);
  });
  it.each(vectors.trustDomain.invalid)('refuses %j', (text) => {
    expect(errorOf(() => TrustDomain.fromIdOrName(text)).code).toMatch(/^invalid-(id|trust-domain)$/);
  });
  it('takes no whole ID for a bare name', () => {
    expect(errorOf(() => TrustDomain.parse('spiffe://trustdomain')).code).toBe('invalid-trust-domain');
  });
});

describe('matchers', () => {
  const ids = ['spiffe://a', 'spiffe://a/A', 'spiffe://a/B', 'spiffe://a/sub/C', 'spiffe://b/A'].map((text) =>
    SpiffeId.parse(text),
  );
  const [root, a, b] = ids as [SpiffeId, SpiffeId, SpiffeId];
  it.each([
    ['exactly', matchExactly(a), [a]],
    ['exactly the trust domain ID, no prefix', matchExactly(root), [root]],
    ['one of', matchOneOf([a, b]), [a, b]],
    ['one of none', matchOneOf([]), []],
    ['member of', matchMemberOf(root.trustDomain), ids.slice(0, 4)],
    ['any', matchAny(), ids],
  ] as const)('%s', (_, matcher, expected) => {
    expect(ids.filter(matcher).map(String)).toEqual(expected.map(String));
  });
  it('tells upper and lower case in the path apart', () => {
    expect(matchExactly(a)(SpiffeId.parse('spiffe://a/a'))).toBe(false);
  });
});
