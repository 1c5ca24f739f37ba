import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../testing/error-of.ts';
import { isJsonObject, type JsonValue } from './json-value.ts';
import { parseJson } from './strict-json.ts';

const limits = { maxBytes: 100_000, maxDepth: 16 };
const read = (text: string | Uint8Array): JsonValue => parseJson(text, limits);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** As JSON.parse would have it: every number a double. */
const rounded = (value: JsonValue): string =>
  JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? Number(member) : member));
const refusal = (text: string | Uint8Array, bounds = limits): string => {
  const { code, message } = errorOf(() => parseJson(text, bounds));
  expect(code).toBe('malformed-json');
  return message;
};

describe('parseJson', () => {
  it('agrees with JSON.parse on every value of it', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 8, noUnicodeString: false }),
        fc.constantFrom(undefined, 1, '\t'),
        (text, indent) => {
          const value: unknown = JSON.parse(text);
          const respelt = JSON.stringify(value, null, indent);
          expect(rounded(read(respelt))).toBe(JSON.stringify(value));
          expect(rounded(read(utf8(respelt)))).toBe(JSON.stringify(value));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const alphabet = fc.constantFrom(...Array.from('{}[],:"\\ \n\t0123456789.-+eEtrufalsn/\u0000\u00a0\ufeffé'));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        let accepted = true;
        try {
          JSON.parse(text);
        } catch {
          accepted = false;
        }
        if (!accepted) refusal(text);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    '',
    ' ',
    '{',
    '[',
    '"',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '[1 2]',
    '{"a":1 "b":2}',
    '01',
    '-',
    '+1',
    '.5',
    '1.',
    '1e',
    '1e+',
    '0x10',
    'NaN',
    'Infinity',
    '-Infinity',
    'True',
    'nul',
    'nulll',
    'undefined',
    '1 2',
    '{}{}',
    '[]]',
    '{}}',
    ']',
    '}',
    '[}',
    '{]',
    '"\t"',
    '"\n"',
    '"\\x"',
    '"\\u12"',
    '"\\u12G4"',
    '"\\',
    '"a\\"',
    '//x\n1',
    '/**/1',
    '\ufeff{}',
    '\u00a01',
    '1\u0000',
    '\v1',
    '\f1',
    '"\ud800"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '1e400',
    '-1e400',
  ])('refuses %j', (text) => {
    refusal(text);
  });

  it.each<[string, JsonValue]>([
    ['0', 0],
    ['-0', -0],
    ['1E2', 100],
    ['1.5e-3', 0.0015],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['18446744073709551616', 2n ** 64n],
    ['1e-400', 0],
    ['"\\u0041\\n\\/\\"\\\\\\b\\f\\r\\t"', 'A\n/"\\\b\f\r\t'],
    ['"\\ud83d\\ude00"', '😀'],
    [' \r\n\t[ ] ', []],
    ['"\u007f\u2028"', '\u007f\u2028'],
  ])('reads %j exactly', (text, value) => {
    expect(read(text)).toStrictEqual(value);
  });

  it('refuses a repeated member however it is spelt, at any depth', () => {
    expect(refusal('{"a":1,"a":1}')).toContain('twice');
    expect(refusal('[{"x":{"ab":1,"\\u0061b":2}}]')).toContain('twice');
    expect(refusal('{"__proto__":1,"__proto__":2}')).toContain('twice');
    expect(read('{"a":{"a":1},"b":{"a":1}}')).toMatchObject({ a: { a: 1 }, b: { a: 1 } });
  });

  it('has no trouble with prototypes', () => {
    const value = read('{"__proto__":{"admin":true},"constructor":1}');
    if (!isJsonObject(value)) throw new Error('no object');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(value['admin']).toBeUndefined();
    expect(value['toString']).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('bounds depth, counting arrays and objects alike', () => {
    const bounds = { maxBytes: 1e7, maxDepth: 3 };
    expect(parseJson('[[[]]]', bounds)).toEqual([[[]]]);
    for (const text of ['[[[[]]]]', '[[[{}]]]', '{"a":{"b":{"c":{}}}}', '['.repeat(1e6), '{"a":'.repeat(1e6)]) {
      expect(refusal(text, bounds)).toContain('deep');
    }
    expect(parseJson('1', { maxBytes: 9, maxDepth: 0 })).toBe(1);
  });

  it('needs no stack for depth', () => {
    const depth = 1_000_000;
    let value = parseJson(`${'['.repeat(depth)}${']'.repeat(depth)}`, { maxBytes: 1e7, maxDepth: depth });
    let levels = 0;
    for (; Array.isArray(value); levels++) value = (value as readonly JsonValue[])[0] ?? null;
    expect(levels).toBe(depth);
  });

  it('bounds size in bytes of UTF-8', () => {
    const bounds = { maxBytes: 12, maxDepth: 1 };
    expect(parseJson('"1234567890"', bounds)).toBe('1234567890');
    expect(parseJson('"éééé"', bounds)).toBe('éééé');
    for (const text of ['"12345678901"', '"éééééé"', '"€€€€"']) {
      expect(refusal(text, bounds)).toContain('12 bytes');
      expect(refusal(utf8(text), bounds)).toContain('12 bytes');
    }
  });

  it('bounds the digits of a number, whose conversion is not linear', () => {
    expect(read('9'.repeat(128))).toBe(BigInt('9'.repeat(128)));
    refusal('9'.repeat(129));
    refusal(`0.${'1'.repeat(50_000)}`);
  });

  it('refuses bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xef, 0xbb, 0xbf, 0x31],
    ]) {
      refusal(Uint8Array.from(bytes));
      expect(read(utf8('"é"'))).toBe('é');
    }
  });

  it('names the place and never the content', () => {
    expect(refusal('{"token":"s3cret" oops}')).toMatch(/character 18/);
    expect(refusal('{"token":"s3cret" oops}')).not.toContain('s3cret');
  });
});
