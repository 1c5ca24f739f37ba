// The kinds of values that flags take: how their text is read, and how usage texts name and show them.
import { formatDuration, parseDuration } from './duration.ts';
import { quote } from './quote.ts';

export interface FlagKind<T = unknown> {
  /** The value after one more occurrence of the flag. @throws {Error} whose message says what is wrong with the text */
  read(text: string, before: T): T;
  /** What the flag has when it is absent and nothing else is declared. */
  readonly zero: T;
  /** What stands behind the flag's name in the usage text. */
  readonly operand: string;
  /** May stand alone, and then takes `true`. */
  readonly alone?: boolean;
  /** A default worth telling, as the usage text shows it. */
  show?(value: T): string | undefined;
}

const notZero =
  <T>(zero: NoInfer<T>, text: (value: T) => string) =>
  (value: T): string | undefined =>
    value === zero ? undefined : text(value);

export const stringFlag: FlagKind<string> = {
  read: (text) => text,
  zero: '',
  operand: 'string',
  show: notZero<string>('', quote),
};

export const boolFlag: FlagKind<boolean> = {
  read: (text) => {
    if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
    if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
    throw new Error('parse error');
  },
  zero: false,
  operand: '',
  alone: true,
  show: notZero<boolean>(false, String),
};

/** Counts as given however it is set: `-name=false` too. */
export const presenceFlag: FlagKind<boolean> = { read: () => true, zero: false, operand: '', alone: true };

/** A signed whole number of 64 bits, in any base that Go's literals have. */
export const intFlag: FlagKind<bigint> = {
  read: (text) => {
    const value = wholeNumber(text);
    if (value < -(2n ** 63n) || value >= 2n ** 63n) throw new Error('value out of range');
    return value;
  },
  zero: 0n,
  operand: 'int',
  show: notZero<bigint>(0n, String),
};

const wholeNumber = (text: string): bigint => {
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  const digits = text.slice(sign.length).replace(/(?<=[\da-fA-FxXoObB])_(?=[\da-fA-F])/g, '');
  const octal = /^0(?=[0-7]+$)/.test(digits) ? `0o${digits.slice(1)}` : digits;
  if (!/^(0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|0|[1-9]\d*)$/.test(octal)) throw new Error('parse error');
  return sign === '-' ? -BigInt(octal) : BigInt(octal);
};

export const durationFlag: FlagKind<bigint> = {
  read: (text) => {
    try {
      return parseDuration(text);
    } catch {
      throw new Error('parse error');
    }
  },
  zero: 0n,
  operand: 'duration',
  show: notZero<bigint>(0n, formatDuration),
};

/** A duration of the agent's own kind: the reason of a bad one is told. */
export const timeoutFlag: FlagKind<bigint> = { ...durationFlag, read: parseDuration, operand: 'value' };

export const listFlag: FlagKind<readonly string[]> = {
  read: (text, before) => [...before, text],
  zero: [],
  operand: 'value',
};

export const commaListFlag: FlagKind<readonly string[]> = {
  read: (text) => text.split(','),
  zero: [],
  operand: 'value',
};

/** `true` and `false` filter; whatever else does not. */
export const filterFlag: FlagKind<boolean | undefined> = {
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  zero: undefined,
  operand: 'value',
};

export type OutputFormat = 'pretty' | 'json';

/** May be given again only with what it has already. */
export const outputFlag: FlagKind<OutputFormat | undefined> = {
  read: (text, before) => {
    if (before !== undefined && before !== text) {
      throw new Error(`the output format has already been set to ${quote(before)}`);
    }
    const name = text.toLowerCase();
    if (name === 'json') return 'json';
    if (name === 'pretty' || name === 'prettyprint') return 'pretty';
    throw new Error(`bad formatter flag: unknown format option: ${quote(text)}`);
  },
  zero: undefined,
  operand: 'value',
};
