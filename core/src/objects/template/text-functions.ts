import { type GoValue, typeName } from './go-value.ts';

type Texts = (...texts: string[]) => GoValue;

const text = (value: GoValue): string => {
  if (typeof value === 'string') return value;
  throw new Error(`takes a text, not ${typeName(value)}`);
};

const texts =
  (count: number, work: Texts) =>
  (args: readonly GoValue[]): GoValue => {
    if (args.length !== count) throw new Error(`takes ${count} argument${count === 1 ? '' : 's'}, not ${args.length}`);
    return work(...args.map(text));
  };

const number = (value: GoValue): number => {
  if (typeof value === 'number') return value;
  throw new Error(`takes a number, not ${typeName(value)}`);
};

const list = (value: GoValue): readonly GoValue[] => {
  if (Array.isArray(value)) return value as readonly GoValue[];
  throw new Error(`takes a list, not ${typeName(value)}`);
};

const trimAll = (characters: string, from: string): string => {
  const cut = new Set(characters);
  const letters = Array.from(from);
  const start = letters.findIndex((letter) => !cut.has(letter));
  if (start < 0) return '';
  return letters.slice(start, letters.findLastIndex((letter) => !cut.has(letter)) + 1).join('');
};

/** As sprig has them: what is worked on comes last, so that it can come through a pipe. */
export const TEXT_FUNCTIONS = {
  lower: texts(1, (from = '') => from.toLowerCase()),
  upper: texts(1, (from = '') => from.toUpperCase()),
  trim: texts(1, (from = '') => from.trim()),
  nospace: texts(1, (from = '') => from.replaceAll(/\s/g, '')),
  trimAll: texts(2, (characters = '', from = '') => trimAll(characters, from)),
  trimPrefix: texts(2, (prefix = '', from = '') => (from.startsWith(prefix) ? from.slice(prefix.length) : from)),
  trimSuffix: texts(2, (suffix = '', from = '') =>
    suffix !== '' && from.endsWith(suffix) ? from.slice(0, -suffix.length) : from,
  ),
  replace: texts(3, (old = '', next = '', from = '') => from.replaceAll(old, () => next)),
  contains: texts(2, (part = '', whole = '') => whole.includes(part)),
  hasPrefix: texts(2, (prefix = '', whole = '') => whole.startsWith(prefix)),
  hasSuffix: texts(2, (suffix = '', whole = '') => whole.endsWith(suffix)),
  splitList: texts(2, (separator = '', from = '') => from.split(separator)),
  trunc: ([length, from]: readonly GoValue[]): GoValue => {
    const [count, whole] = [number(length), text(from)];
    if (count >= 0) return whole.slice(0, count);
    return whole.slice(Math.max(0, whole.length + count));
  },
  substr: ([start, end, from]: readonly GoValue[]): GoValue => text(from).slice(number(start), number(end)),
  join: ([separator, parts]: readonly GoValue[]): GoValue => list(parts).map(text).join(text(separator)),
  first: ([parts]: readonly GoValue[]): GoValue => list(parts)[0],
  last: ([parts]: readonly GoValue[]): GoValue => list(parts).at(-1),
} as const;
