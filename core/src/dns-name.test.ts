import { domainToASCII } from 'node:url';
import { isDnsName } from '@steeple/spiffe';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dnsNameProblem, wildcardOverlap } from './dns-name.ts';
import { isPunycode } from './punycode.ts';

describe('dnsNameProblem', () => {
  it.each([
    'a',
    'localhost',
    'web.example.org',
    'WEB.Example.ORG',
    '*.example.org',
    '*.org',
    '1.2.example',
    '3com.com',
    'a-b.c--d.e',
    `${'a'.repeat(63)}.b`,
    `${'a.'.repeat(126)}b`,
    'xn--mnchen-3ya.de',
    'XN--MNCHEN-3YA.de',
    'xn--p1ai',
    'xn--ls8h.la',
    'a-1',
  ])('accepts %s', (name) => {
    expect(dnsNameProblem(name)).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '*',
    '*.',
    '*.*.a',
    'a.*.b',
    '*a.b',
    'a*.b',
    '.a',
    'a.',
    'a..b',
    '-a',
    'a-',
    'a.-b',
    'a_b',
    'a b',
    'a/b',
    'a:80',
    'a@b',
    'a,b',
    'a\0',
    'a\n',
    '\ta',
    'é.org',
    'ａ.org',
    '127.0.0.1',
    '1',
    'a.1',
    '127.1',
    '0x7f.1',
    '0x7f',
    'a.0x',
    '::1',
    '[::1]',
    'ab--c',
    'xn--',
    'xn--a',
    'xn---a',
    'xn--99999999',
    'xn--é',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(126)}bc`,
    'x'.repeat(100_000),
  ])('refuses %j', (name) => {
    expect(dnsNameProblem(name)).toEqual(expect.any(String));
  });

  it('accepts nothing that the certificate writer would refuse', () => {
    const piece = fc.constantFrom(
      'a',
      'xn--p1ai',
      '*',
      '.',
      '-',
      '--',
      '1',
      '0x',
      'a'.repeat(60),
      '_',
      ' ',
      'é',
      '\0',
      'Z9',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const name = pieces.join('');
        if (dnsNameProblem(name) === undefined) expect(isDnsName(name)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('isPunycode', () => {
  it('decodes what Node encodes', () => {
    const letter = fc.constantFrom(...Array.from('äöüßéñçøåæłšžőабвгд日本語中文한국어हिन्दी'.normalize('NFC')));
    const label = fc.array(fc.oneof(letter, fc.constantFrom('a', 'b', '1')), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(label, (letters) => {
        const ascii = domainToASCII(letters.join(''));
        fc.pre(ascii.startsWith('xn--'));
        expect(isPunycode(ascii.slice(4))).toBe(true);
      }),
    );
  });

  it('ends on any input', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9-]{0,59}$/), (text) => {
        expect(isPunycode(text)).toEqual(expect.any(Boolean));
      }),
    );
    expect(isPunycode('9'.repeat(59))).toBe(false);
  });
});

describe('wildcardOverlap', () => {
  it('finds a name that a wildcard covers, in any order and case', () => {
    expect(wildcardOverlap(['a.example.org', '*.EXAMPLE.org'])).toEqual({
      wildcard: '*.EXAMPLE.org',
      covered: 'a.example.org',
    });
  });

  it('leaves alone what a wildcard does not cover', () => {
    expect(wildcardOverlap(['*.example.org', 'example.org', 'a.b.example.org', '*.c.example.org'])).toBeUndefined();
    expect(wildcardOverlap(['org', '*.org'])).toBeUndefined();
    expect(wildcardOverlap(['*.example.org', '*.example.org'])).toBeUndefined();
  });
});
