import { describe, expect, it } from 'vitest';
import {
  boolFlag,
  commaListFlag,
  durationFlag,
  filterFlag,
  intFlag,
  listFlag,
  outputFlag,
  presenceFlag,
  stringFlag,
  timeoutFlag,
} from './flag-kind.ts';
import { FlagError, type FlagSpec, parseFlags, usageOf } from './flag-set.ts';

const specs: readonly FlagSpec[] = [
  { name: 'text', kind: stringFlag, usage: 'a text', initial: 'x' },
  { name: 'on', kind: boolFlag, usage: 'a switch' },
  { name: 'seen', kind: presenceFlag, usage: 'a mark' },
  { name: 'n', kind: intFlag, usage: 'a number', initial: 600n },
  { name: 'for', kind: durationFlag, usage: 'a time' },
  { name: 'wait', kind: timeoutFlag, usage: 'another time' },
  { name: 'one', kind: listFlag, usage: 'a list' },
  { name: 'some', kind: commaListFlag, usage: 'a list at once' },
  { name: 'filter', kind: filterFlag, usage: 'a filter' },
  { name: 'output', kind: outputFlag, usage: 'a format' },
  { name: 'format', kind: outputFlag, usage: 'the same', sets: 'output' },
];

const parse = (...words: string[]) => parseFlags(specs, words);

const refusal = (...words: string[]): FlagError => {
  try {
    parse(...words);
  } catch (error) {
    if (error instanceof FlagError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('flags', () => {
  it('have their defaults when they are absent', () => {
    const flags = parse();
    expect([flags.text('text'), flags.isOn('on'), flags.number('n'), flags.list('one')]).toEqual([
      'x',
      false,
      600n,
      [],
    ]);
    expect([flags.filter('filter'), flags.output, flags.isGiven('text')]).toEqual([undefined, 'pretty', false]);
  });

  it('are written in all of the forms', () => {
    const flags = parse('-text', 'a', '--n=0x10', '-on', '-one=a', '--one', '-b', '-some', 'a,b', '-for', '1m');
    expect(flags.text('text')).toBe('a');
    expect(flags.number('n')).toBe(16n);
    expect(flags.isOn('on')).toBe(true);
    expect(flags.list('one')).toEqual(['a', '-b']);
    expect(flags.list('some')).toEqual(['a', 'b']);
    expect(flags.number('for')).toBe(60_000_000_000n);
    expect(flags.isGiven('text')).toBe(true);
  });

  it('take an empty value, and one with an equals sign', () => {
    expect(parse('-text=').text('text')).toBe('');
    expect(parse('-text', '').text('text')).toBe('');
    expect(parse('-text=a=b').text('text')).toBe('a=b');
  });

  it('end at the first other word, at -- and at a lone -', () => {
    for (const end of ['word', '--', '-']) expect(parse('-on', end, '-n', '1').number('n')).toBe(600n);
  });

  it('of a switch do not take the next word', () => {
    expect(parse('-on', 'false').isOn('on')).toBe(true);
    expect(parse('-on=false').isOn('on')).toBe(false);
    expect(parse('-on=F').isOn('on')).toBe(false);
    expect(parse('-seen=false').isOn('seen')).toBe(true);
  });

  it('filter only for true and false', () => {
    expect(['true', 'false', 'TRUE', ''].map((text) => parse(`-filter=${text}`).filter('filter'))).toEqual([
      true,
      false,
      undefined,
      undefined,
    ]);
  });

  it('choose a format once', () => {
    expect(parse('-output', 'JSON').output).toBe('json');
    expect(parse('-format', 'prettyprint', '-output', 'pretty').output).toBe('pretty');
    expect(refusal('-output', 'json', '-output', 'pretty').message).toBe(
      'invalid value "pretty" for flag -output: the output format has already been set to "json"',
    );
  });

  it.each([
    [['-nope'], 'flag provided but not defined: -nope'],
    [['-nope=1'], 'flag provided but not defined: -nope'],
    [['-text'], 'flag needs an argument: -text'],
    [['---text'], 'bad flag syntax: ---text'],
    [['-=x'], 'bad flag syntax: -=x'],
    [['-n', 'x'], 'invalid value "x" for flag -n: parse error'],
    [['-n', ''], 'invalid value "" for flag -n: parse error'],
    [['-n', '1e3'], 'invalid value "1e3" for flag -n: parse error'],
    [['-n', '9223372036854775808'], 'invalid value "9223372036854775808" for flag -n: value out of range'],
    [['-on=perhaps'], 'invalid boolean value "perhaps" for -on: parse error'],
    [['-for', '5'], 'invalid value "5" for flag -for: parse error'],
    [['-wait', '5'], 'invalid value "5" for flag -wait: time: missing unit in duration "5"'],
    [['-output', 'xml'], 'invalid value "xml" for flag -output: bad formatter flag: unknown format option: "xml"'],
    [['-text', 'a\n"b"', '-n', '\u0007'], 'invalid value "\\a" for flag -n: parse error'],
  ])('refuse %j', (words, message) => {
    const error = refusal(...words);
    expect(error.message).toBe(message);
    expect(error.help).toBe(false);
  });

  it.each(['-h', '--help', '-help'])('ask for help with %s', (word) => {
    expect(refusal(word).help).toBe(true);
  });
});

describe('usageOf', () => {
  it('lists the flags by name, with what they take and their defaults', () => {
    expect(usageOf('thing do', specs.slice(0, 4))).toBe(
      [
        'Usage of thing do:',
        '  -n int',
        '    \ta number (default 600)',
        '  -on',
        '    \ta switch',
        '  -seen',
        '    \ta mark',
        '  -text string',
        '    \ta text (default "x")',
        '',
      ].join('\n'),
    );
  });
});
