import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../config-error.ts';
import { labelledBlocks, oneOrMany, singleBlock } from './blocks.ts';
import { type ConfigForm, parseConfig, readConfigFile } from './read-config-file.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

describe('the three forms', () => {
  it('yield the same value', async () => {
    const [hcl, json, yaml] = await Promise.all(
      ['server.conf', 'server.json', 'server.yaml'].map(async (name) => (await readConfigFile(fixture(name))).value),
    );
    expect(json).toHaveProperty(['server', 'federation', 'federates_with', 'one.org']);
    expect(hcl).toStrictEqual(json);
    expect(yaml).toStrictEqual(json);
  });

  it('agree for any value that JSON can hold', () => {
    const key = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
    const scalar = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
    );
    const { block } = fc.letrec<{ block: unknown; value: unknown }>((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(scalar, { maxLength: 3 }), tie('block')),
      block: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(block, (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(parseConfig(JSON.stringify(plain), 'json').value).toStrictEqual(plain);
        expect(parseConfig(JSON.stringify(plain), 'yaml').value).toStrictEqual(plain);
        expect(parseConfig(toHcl(plain as object), 'hcl').value).toStrictEqual(plain);
      }),
    );
  });

  it('read JSON in a .conf file', () => {
    expect(parseConfig(' {"a": 1}', 'hcl').value).toEqual({ a: 1 });
  });

  it('read each character that JSON allows in a text', () => {
    const text = 'a\u007f\u0085\u2028b';
    expect(parseConfig(JSON.stringify({ text }), 'json').value).toEqual({ text });
    expect(() => parseConfig('{"text": "a\u001fb"}', 'json')).toThrow(/string/);
  });

  it.each(['hcl', 'yaml'] as const)('take an empty %s file as no settings', (form) => {
    expect(parseConfig('', form).value).toEqual({});
    expect(parseConfig('# nothing\n', form).value).toEqual({});
  });

  it('tell where things stand', async () => {
    const document = await readConfigFile(fixture('server.conf'));
    expect(document.positionOf(['server', 'trust_domain'])).toEqual({ line: 5, column: 5 });
    expect(document.positionOf(['server', 'admin_ids', 1])).toEqual({ line: 10, column: 48 });
    expect(document.positionOf(['server', 'no_such_key'])).toEqual({ line: 2, column: 1 });
    expect(document.positionOf(['plugins', 'NodeAttestor', 'x509pop', 0, 'plugin_data', 'mode'])).toEqual({
      line: 43,
      column: 59,
    });
    const yaml = await readConfigFile(fixture('server.yaml'));
    expect(yaml.positionOf(['server', 'trust_domain'])).toEqual({ line: 4, column: 3 });
  });

  it('report a file that cannot be read', async () => {
    await expect(readConfigFile('/nonexistent/x.conf')).rejects.toThrow(
      '/nonexistent/x.conf: cannot be read: ENOENT: no such file or directory',
    );
    await expect(readConfigFile('/')).rejects.toThrow(ConfigError);
  });
});

describe('JSON and YAML mistakes', () => {
  it.each<[ConfigForm, string, RegExp]>([
    ['json', '{"a": 1, "a": 2}', /1:10: key "a" is set twice/],
    ['json', '{"a": 1} x', /1:10: unexpected text after the end/],
    ['json', '{"a": 01}', /1:8: expected "," or "}"/],
    ['json', '{"a": 1,}', /1:9: expected a string/],
    ['json', '{"a": "\n"}', /1:7: expected a string/],
    ['json', '{"a": 1e400}', /1:7: number is too large/],
    ['json', '{"a" 1}', /1:6: expected ":"/],
    ['json', '{"a": [1', /1:9: expected "," or "]"/],
    ['json', '[1]', /1:1: a configuration consists of named settings/],
    ['json', '', /1:1: expected a value/],
    ['json', `{"a":${'['.repeat(200_000)}`, /nested deeper than 64/],
    ['json', '{"a":'.repeat(100_000), /nested deeper than 64/],
    ['yaml', 'a: 1\na: 2', /2:1: key "a" is set twice/],
    ['yaml', 'a: &x 1\nb: *x', /2:4: aliases are not allowed/],
    ['yaml', 'a: !!binary aGk=', /tag/i],
    ['yaml', 'a: !mine 1', /tag/i],
    ['yaml', 'a: [1', /flow/i],
    ['yaml', 'a: 1\n---\nb: 2', /second document/],
    ['yaml', '- 1', /1:1: a configuration consists of named settings/],
    ['yaml', '? [a]\n: 1', /1:3: a key must be a plain text/],
    ['yaml', 'a: .inf', /1:4: expected a text/],
    ['yaml', `a: ${'['.repeat(200_000)}`, /nested too deep/],
    ['yaml', `a: ${'['.repeat(500)}${']'.repeat(500)}`, /nested deeper than 64/],
    ['yaml', '? '.repeat(5000), /./],
    ['yaml', '- '.repeat(5000), /./],
    ['yaml', 'a: @x', /./],
  ])('%s %j', (form, text, message) => {
    expect(() => parseConfig(text, form)).toThrow(ConfigError);
    expect(() => parseConfig(text, form)).toThrow(message);
  });

  it('keep YAML texts texts', () => {
    const text = 'a: no\nb: 1_000\nc: 0o17\nd: 2026-01-01\ne: "8081"\nf: ~\ng: 0x1f';
    expect(parseConfig(text, 'yaml').value).toEqual({
      a: 'no',
      b: '1_000',
      c: 15,
      d: '2026-01-01',
      e: '8081',
      f: null,
      g: 31,
    });
  });

  it('expand variables in values', () => {
    const expandEnv = { PORT: '8081', NAME: 'x: y' };
    expect(parseConfig('a: $PORT\nb: "$PORT"\nc: $NAME', 'yaml', { expandEnv }).value).toEqual({
      a: 8081,
      b: '8081',
      c: 'x: y',
    });
    expect(parseConfig('{"a": "$PORT", "b": $PORT}', 'json', { expandEnv }).value).toEqual({ a: '8081', b: 8081 });
  });
});

describe('normalising blocks', () => {
  const body = z.strictObject({ x: z.number() });

  it('takes labelled blocks in every form', () => {
    const schema = labelledBlocks(body);
    const expected = { a: [{ x: 1 }], b: [{ x: 2 }] };
    expect(schema.parse({ a: { x: 1 }, b: { x: 2 } })).toEqual(expected);
    expect(schema.parse([{ a: { x: 1 } }, { b: { x: 2 } }])).toEqual(expected);
    expect(schema.parse([{ a: [{ x: 1 }] }, { b: { x: 2 } }])).toEqual(expected);
    expect(schema.parse({ a: [{ x: 1 }, { x: 2 }] })).toEqual({ a: [{ x: 1 }, { x: 2 }] });
    expect(schema.parse(undefined)).toEqual({});
    expect(schema.safeParse('text').success).toBe(false);
    expect(schema.safeParse({ a: 1 }).success).toBe(false);
  });

  it('takes one or many', () => {
    expect(oneOrMany(body).parse({ x: 1 })).toEqual([{ x: 1 }]);
    expect(oneOrMany(body).parse([{ x: 1 }, { x: 2 }])).toEqual([{ x: 1 }, { x: 2 }]);
    expect(oneOrMany(body).parse(undefined)).toEqual([]);
  });

  it('takes a single block out of its list', () => {
    expect(singleBlock(body).parse([{ x: 1 }])).toEqual({ x: 1 });
    expect(singleBlock(body).safeParse([{ x: 1 }, { x: 2 }]).success).toBe(false);
  });
});

function toHcl(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toHcl).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).replaceAll('\\/', '/');
  const items = Object.entries(value).map(([key, member], index) => {
    const isBlock = typeof member === 'object' && !Array.isArray(member) && index % 2 === 0;
    return `${index % 3 === 0 ? JSON.stringify(key) : key} ${isBlock ? '' : '= '}${nested(member)}`;
  });
  return items.join('\n');
}

function nested(member: unknown): string {
  const isObject = typeof member === 'object' && member !== null && !Array.isArray(member);
  return isObject ? `{\n${toHcl(member)}\n}` : toHcl(member);
}
