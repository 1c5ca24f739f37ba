import { utf8Length } from '../../utf8-length.ts';
import { FORMAT_FUNCTIONS } from './format-functions.ts';
import { GoStruct, type GoValue, isTrue, typeName } from './go-value.ts';
import { TEXT_FUNCTIONS } from './text-functions.ts';

/** Called with the arguments as written. @throws {Error} that says what is wrong with them */
export type TemplateFunction = (args: readonly GoValue[]) => GoValue;

const scalar = (value: GoValue): string | number | boolean => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new Error(`${typeName(value)} cannot be compared`);
};

const sameType = (a: GoValue, b: GoValue): [string | number | boolean, string | number | boolean] => {
  const [left, right] = [scalar(a), scalar(b)];
  if (typeof left !== typeof right) throw new Error(`${typeName(a)} and ${typeName(b)} cannot be compared`);
  return [left, right];
};

const compare =
  (holds: (a: string | number | boolean, b: string | number | boolean) => boolean): TemplateFunction =>
  (args) => {
    const [a, b] = two(args);
    return holds(...sameType(a, b));
  };

const two = (args: readonly GoValue[]): [GoValue, GoValue] => {
  if (args.length !== 2) throw new Error(`takes 2 arguments, not ${args.length}`);
  return [args[0], args[1]];
};

const index: TemplateFunction = ([of, ...keys]) => {
  if (keys.length === 0) throw new Error('takes a map or list and a key');
  return keys.reduce<GoValue>((value, key) => {
    if (value instanceof Map) {
      if (typeof key !== 'string') throw new Error('the key of a map must be a text');
      return value.get(key) ?? '';
    }
    if (!Array.isArray(value)) throw new Error(`${typeName(value)} has no elements`);
    if (typeof key !== 'number') throw new Error('the index of a list must be a number');
    if (!(key >= 0 && key < value.length)) throw new Error(`index ${key} is out of range: there are ${value.length}`);
    return value[key] as GoValue;
  }, of);
};

/** Go's own functions and those of the sprig library that make sense for names; `and` and `or` stop early elsewhere. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ...TEXT_FUNCTIONS,
  ...FORMAT_FUNCTIONS,
  index,
  and: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([value, ...more]) => {
    if (more.length > 0) throw new Error('takes 1 argument');
    return !isTrue(value);
  },
  eq: ([first, ...others]) => {
    if (others.length === 0) throw new Error('takes at least 2 arguments');
    return others.some((other) => {
      const [a, b] = sameType(first, other);
      return a === b;
    });
  },
  ne: compare((a, b) => a !== b),
  lt: compare((a, b) => a < b),
  le: compare((a, b) => a <= b),
  gt: compare((a, b) => a > b),
  ge: compare((a, b) => a >= b),
  len: ([value]) => {
    if (typeof value === 'string') return utf8Length(value);
    if (value instanceof Map) return value.size;
    if (Array.isArray(value)) return value.length;
    throw new Error(`${typeName(value)} has no length`);
  },
  default: (args) => {
    const [fallback, value] = two(args);
    return isTrue(value) ? value : fallback;
  },
  coalesce: (args) => args.find(isTrue),
  empty: ([value]) => !isTrue(value),
  ternary: ([yes, no, condition]) => (isTrue(condition) ? yes : no),
  hasKey: (args) => {
    const [map, key] = two(args);
    if (map instanceof GoStruct || !(map instanceof Map)) throw new Error(`${typeName(map)} has no keys`);
    return typeof key === 'string' && map.has(key);
  },
  get: (args) => index(two(args)),
};
