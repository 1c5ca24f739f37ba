import { type GoValue, typeName } from './go-value.ts';

/** The value as Go's `%v` prints it. @throws {Error} for what has no text that anybody would want in a name */
export const printed = (value: GoValue): string => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === undefined) throw new Error('there is no such key; use `default` or `if` for what may be missing');
  throw new Error(`${typeName(value)} cannot be printed`);
};

const VERBS: Readonly<Record<string, (value: GoValue) => string>> = {
  v: printed,
  s: (value) => {
    if (typeof value !== 'string') throw new Error(`%s takes a text, not ${typeName(value)}`);
    return value;
  },
  d: (value) => {
    if (typeof value !== 'number') throw new Error(`%d takes a number, not ${typeName(value)}`);
    return String(value);
  },
  t: (value) => {
    if (typeof value !== 'boolean') throw new Error(`%t takes true or false, not ${typeName(value)}`);
    return String(value);
  },
  q: (value) => JSON.stringify(printed(value)),
};

const printf = ([format, ...values]: readonly GoValue[]): string => {
  if (typeof format !== 'string') throw new Error('takes a format first');
  let used = 0;
  const text = format.replaceAll(/%(.?)/gs, (_, verb: string) => {
    if (verb === '%') return '%';
    const print = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (print === undefined) throw new Error(`"%${verb}" is not supported`);
    if (used >= values.length) throw new Error('the format has more verbs than there are values');
    used += 1;
    return print(values[used - 1]);
  });
  if (used < values.length) throw new Error('there are more values than verbs in the format');
  return text;
};

/** Go's: a space between two operands of which neither is a text. */
const print = (values: readonly GoValue[]): string =>
  values.reduce<string>((line, value, at) => {
    const before = values[at - 1];
    const apart = at > 0 && typeof value !== 'string' && typeof before !== 'string';
    return `${line}${apart ? ' ' : ''}${printed(value)}`;
  }, '');

export const FORMAT_FUNCTIONS = {
  print,
  printf,
  println: (values: readonly GoValue[]): string => `${values.map(printed).join(' ')}\n`,
  quote: (values: readonly GoValue[]): string => values.map((value) => JSON.stringify(printed(value))).join(' '),
} as const;
