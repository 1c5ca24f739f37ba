import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../config-error.ts';
import { parseConfig } from './read-config-file.ts';

const hcl = (text: string, expandEnv?: Record<string, string>) =>
  parseConfig(text, 'hcl', expandEnv === undefined ? {} : { expandEnv }).value;

function complaint(text: string): string {
  try {
    parseConfig(text, 'hcl', { file: 'x.conf' });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('HCL values', () => {
  it.each([
    ['a = 1', 1],
    ['a = -12', -12],
    ['a = -0', 0],
    ['a = 0x1F', 31],
    ['a = 0755', 0o755],
    ['a = 1.5', 1.5],
    ['a = .5', 0.5],
    ['a = 1e3', 1000],
    ['a = true', true],
    ['a = false', false],
    ['a = "text"', 'text'],
    ['a = ""', ''],
    ['a = []', []],
    ['a = [1, "b", [true], {c = 2},]', [1, 'b', [true], { c: 2 }]],
    ['a = {}', {}],
    ['a {}', {}],
    ['"a" = 1', 1],
    ['a = "\\t\\"\\\\\\u00e9\\U0001F600\\x41\\101"', '\t"\\é😀AA'],
    ['a = "# no comment // here"', '# no comment // here'],
    ['a = "$HOME ${HOME} $${x}"', '$HOME ${HOME} $${x}'],
    ['a = "${f("quoted")}"', '${f("quoted")}'],
    ['a = "${{}}b"', '${{}}b'],
    ['a = <<EOF\none\n two\nEOF\n', 'one\n two\n'],
    ['a = <<-EOF\n  one\n    two\n  EOF\n', 'one\n  two\n'],
    ['a = <<-EOF\n one\n  EOF\n', ' one\n'],
    ['a = <<EOF\nEOF', ''],
    ['a = <<EOF\r\none\r\nEOF\r\n', 'one\n'],
    ['\ufeffa = 1', 1],
    ['a /* b */ = /* c\n */ 1 # d', 1],
  ])('%s', (text, value) => {
    expect(hcl(text)).toEqual({ a: value });
  });

  it('reads keys with dots, dashes and letters of any script', () => {
    expect(hcl('a.b-c_d = 1\nümlaut = 2')).toEqual({ 'a.b-c_d': 1, ümlaut: 2 });
  });

  it('goes on after a heredoc', () => {
    expect(hcl('a = <<X\n}"\nX\nb = 1')).toEqual({ a: '}"\n', b: 1 });
  });

  it('takes __proto__ as a key like any other', () => {
    const value = hcl('__proto__ { polluted = true }') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

describe('HCL blocks', () => {
  it.each([
    ['labels become keys', 'k "a" {x=1} k "b" {}', { k: { a: { x: 1 }, b: {} } }],
    ['labels nest', 'k "a" "b" c {x=1}', { k: { a: { b: { c: { x: 1 } } } } }],
    ['equal labels become a list', 'k "a" {x=1} k "a" {x=2}', { k: { a: [{ x: 1 }, { x: 2 }] } }],
    ['blocks without label become a list', 'k {x=1} k {x=2} k = {x=3}', { k: [{ x: 1 }, { x: 2 }, { x: 3 }] }],
    ['labelled joins unlabelled', 'k { a {} } k "b" {}', { k: { a: {}, b: {} } }],
    ['unlabelled joins labelled', 'k "b" {} k { a {} }', { k: { b: {}, a: {} } }],
    ['deep labels join', 'k "a" "b" {} k "a" "c" {}', { k: { a: { b: {}, c: {} } } }],
  ])('%s', (_, text, value) => {
    expect(hcl(text)).toEqual(value);
  });
});

describe('HCL mistakes', () => {
  it.each([
    ['a = ', 'x.conf:1:5: expected a value, found the end of the file'],
    ['a', 'x.conf:1:2: expected "=" or "{", found the end of the file'],
    ['a "b" = 1', 'x.conf:1:7: expected "{" after labels, found "="'],
    ['a {\n  b = 1\n', 'x.conf:3:1: expected a key or "}", found the end of the file'],
    ['a = 1\n}', 'x.conf:2:1: expected a key, found "}"'],
    ['a = yes', 'x.conf:1:5: text must be quoted: "yes"'],
    ['a = $PORT', 'x.conf:1:5: environment variables are only read with -expandEnv'],
    ['a = "b', 'x.conf:1:5: string is not closed'],
    ['a = "b\n"', 'x.conf:1:5: string is not closed'],
    ['a = "${b"', 'x.conf:1:5: string is not closed'],
    ['a = "\\q"', 'x.conf:1:6: unknown escape in string'],
    ['a = "\\ud800"', 'x.conf:1:6: escape is no character'],
    ['a = "\\000"', 'x.conf:1:6: escape is no character'],
    ['a = 09', 'x.conf:1:5: a number with a leading zero is octal'],
    ['a = 99999999999999999999', 'x.conf:1:5: number is too large'],
    ['a = 1h', 'x.conf:1:5: expected a value, found "1"'],
    ['a = [1 2]', 'x.conf:1:8: expected "," or "]", found "2"'],
    ['a = [', 'x.conf:1:6: expected a value, found the end of the file'],
    ['/* b', 'x.conf:1:1: comment is not closed'],
    ['a = <<E\nb', 'x.conf:1:5: heredoc is not closed by a line "E"'],
    ['a = <<\n', 'x.conf:1:5: expected a heredoc: <<MARKER at the end of a line'],
    ['é = "x"\na = 1\nb = 2\n  a = 3', 'x.conf:4:3: "a" is set twice, first in line 2'],
    ['a = 1 a {}', 'x.conf:1:7: "a" is set twice, first in line 1'],
    ['a = [1] a = [2]', 'x.conf:1:9: "a" is set twice, first in line 1'],
    ['😀 = 1', 'x.conf:1:1: expected a key, found "😀"'],
    ['a = "😀" b', 'x.conf:1:10: expected "=" or "{", found the end of the file'],
    ['a = 1\0', 'x.conf:1:6: unexpected NUL character'],
  ])('%j', (text, message) => {
    expect(complaint(text)).toBe(message);
  });

  it('bounds depth, however it is written', () => {
    expect(complaint('a {'.repeat(100_000))).toMatch(/nested deeper than 64/);
    expect(complaint(`a = ${'['.repeat(100_000)}`)).toMatch(/nested deeper than 64/);
    expect(complaint(`a ${'"b" '.repeat(100_000)} {}`)).toMatch(/too many labels/);
    expect(complaint(`a = "${'${{'.repeat(100_000)}"`)).toMatch(/not closed/);
  });

  it('bounds size', () => {
    expect(complaint(`a = "${'x'.repeat(1024 * 1024)}"`)).toBe('x.conf: file is larger than 1048576 bytes');
  });

  it('survives long hostile lines', () => {
    expect(hcl('a {} '.repeat(200_000))).toHaveProperty('a.length', 200_000);
    expect(hcl(`a = [${'1,'.repeat(400_000)}]`)).toHaveProperty('a.length', 400_000);
  });

  it('refuses what is not UTF-8', () => {
    expect(() => parseConfig(Uint8Array.of(0x61, 0xff), 'hcl')).toThrow('file is not UTF-8 text');
  });

  it('never throws anything but a ConfigError', () => {
    const piece = fc.constantFrom(
      'a',
      '=',
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      '<<E\n',
      '\nE\n',
      '/*',
      '*/',
      '#',
      '1',
      '$',
      '${',
      ' ',
      '\n',
      ',',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          hcl(pieces.join(''), { a: 'x' });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('expanding the environment', () => {
  const env = { NAME: 'example.org', PORT: '8081', ON: 'true', EVIL: '"\n} b = 1 {', EMPTY: '' };

  it('replaces inside strings, heredocs and labels, and as bare values', () => {
    const text = 'a = "x-${NAME}-$NAME." b = $PORT c = ${ON} d = <<E\n$NAME\nE\nk "$NAME" {} e = $NAME f = "$EMPTY"';
    expect(hcl(text, env)).toEqual({
      a: 'x-example.org-example.org.',
      b: 8081,
      c: true,
      d: 'example.org\n',
      k: { 'example.org': {} },
      e: 'example.org',
      f: '',
    });
  });

  it('never lets a variable change the structure', () => {
    expect(hcl('a = "$EVIL" c = $EVIL', env)).toEqual({ a: env.EVIL, c: env.EVIL });
  });

  it('leaves every other dollar, and comments, alone', () => {
    expect(hcl('# $MISSING\na = "$ $1 ${} ${a b} $"', env)).toEqual({ a: '$ $1 ${} ${a b} $' });
  });

  it('names every missing variable with its place', () => {
    const read = () => parseConfig('a = "$NO_A"\nb = $NO_B', 'hcl', { file: 'x', expandEnv: {} });
    expect(read).toThrow('x:1:5: environment variable NO_A is not set\nx:2:5: environment variable NO_B is not set');
  });

  it('does not find what every object has', () => {
    expect(() => hcl('a = "$constructor"', {})).toThrow('environment variable constructor is not set');
  });
});
