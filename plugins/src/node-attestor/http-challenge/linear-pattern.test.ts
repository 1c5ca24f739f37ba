import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearPattern } from './linear-pattern.ts';

describe('linearPattern', () => {
  it.each([
    [
      'p[0-9]\\.example\\.com',
      ['p1.example.com'],
      ['p1.example.com.evil', 'xp1.example.com', 'p1xexample.com', 'p.example.com'],
    ],
    ['^p\\d+$', ['p1', 'p123'], ['p', 'p1a', 'xp1']],
    ['.*\\.example\\.com', ['.example.com', 'a.b.example.com'], ['example.com', 'a.example.com.org']],
    ['a|b|', ['a', 'b', ''], ['ab', 'c']],
    ['(?:web|db)-\\d{2,3}', ['web-12', 'db-123'], ['web-1', 'db-1234', 'x-12']],
    ['(?P<kind>web)(?<n>\\d)?', ['web', 'web1'], ['web12']],
    ['(a*)*b', ['b', 'aab'], ['a', '']],
    ['((a?)*)*', ['', 'aaa'], ['b']],
    ['[^.]+', ['abc', '-'], ['a.b', '']],
    ['[]a-c-]+', ['a-]'], ['d']],
    ['[[:alpha:]_]+[[:digit:]]', ['ab_1'], ['a1b', '11']],
    ['(?i)Web-[a-z]', ['web-A', 'WEB-b'], ['web-1']],
    ['a{0}', [''], ['a']],
    ['a{2,}', ['aa', 'aaaa'], ['a']],
    ['a+?b??', ['aab', 'a'], ['b']],
    ['a^b|a$b', [], ['ab', 'a', 'b']],
    ['\\w\\W\\s\\S\\D', ['a- bc'], ['aa bc']],
  ])('%s', (source, good, bad) => {
    const pattern = linearPattern(source);
    for (const text of good) expect(pattern.matches(text), text).toBe(true);
    for (const text of bad) expect(pattern.matches(text), text).toBe(false);
  });

  it.each([
    '(',
    ')',
    'a)',
    '[',
    '[a',
    '[b-a]',
    '*',
    'a**',
    'a{2}{3}',
    '+a',
    'a{',
    '{2}',
    '\\',
    '\\1',
    '\\b',
    '\\z',
    '\\p{L}',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?i:a)',
    'a(?i)',
    'a{1001}',
    'a{3,2}',
    '[[:nope:]]',
    '[[:constructor:]]',
    '((a{100}){100}){100}',
    '('.repeat(60),
  ])('refuses %j', (source) => {
    expect(() => linearPattern(source)).toThrow(SyntaxError);
  });

  it('matches what JavaScript matches', () => {
    const leaf = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\.', '', '^', '$');
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        leaf,
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a})(?:${b})`),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}'))
          .map(([a, q]) => `(?:${a})${q}`),
      ),
    }));
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 }), (source, text) => {
        expect(linearPattern(source).matches(text)).toBe(new RegExp(`^(?:${source})$`).test(text));
      }),
      { numRuns: 500 },
    );
  });

  it('takes any text for a pattern or says what is not understood', () => {
    const unit = fc.constantFrom(
      'a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '1',
      ',',
      '*',
      '?',
      '|',
      '\\',
      '^',
      '-',
      ':',
      '<',
      'P',
    );
    fc.assert(
      fc.property(fc.string({ unit }), (source) => {
        try {
          linearPattern(source).matches('aaa');
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });

  it('is not slow for what makes others slow', () => {
    // Backtracking would not end within a lifetime.
    expect(linearPattern('([a-z]+)+\\.example\\.com').matches('a'.repeat(253))).toBe(false);
    expect(linearPattern('(a|a|a?)*b').matches('a'.repeat(253))).toBe(false);
    expect(linearPattern('(.*)(.*)(.*)(.*)x').matches('a'.repeat(253))).toBe(false);
  });
});
