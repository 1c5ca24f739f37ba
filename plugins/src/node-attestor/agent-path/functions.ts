import { createHash } from 'node:crypto';
import type { TemplateValue } from './expression.ts';

/** A value is missing or of another kind than a function takes. */
export class UnfitValue extends Error {}

type TemplateFunction = (...inputs: readonly (TemplateValue | undefined)[]) => TemplateValue;

/** Names and order of inputs are those of Go's templates and of the library that SPIRE adds to them. */
const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  index: (value, ...keys) => keys.reduce<TemplateValue>(member, present(value)),
  first: (list) => present(listOf(list)[0]),
  last: (list) => present(listOf(list).at(-1)),
  join: (separator, list) => listOf(list).map(textOf).join(textOf(separator)),
  splitList: (separator, text) => textOf(text).split(textOf(separator)),
  lower: (text) => textOf(text).toLowerCase(),
  upper: (text) => textOf(text).toUpperCase(),
  trim: (text) => textOf(text).trim(),
  nospace: (text) => textOf(text).replaceAll(/\s/g, ''),
  trimPrefix: (prefix, text) => withoutPrefix(textOf(text), textOf(prefix)),
  trimSuffix: (suffix, text) => withoutSuffix(textOf(text), textOf(suffix)),
  replace: (from, to, text) => textOf(text).replaceAll(textOf(from), () => textOf(to)),
  substr: (start, end, text) => substring(textOf(text), numberOf(start), numberOf(end)),
  trunc: (length, text) => truncated(textOf(text), numberOf(length)),
  default: (fallback, value) => (value === undefined || value === '' || value === 0n ? present(fallback) : value),
  toString: textOf,
  sha1sum: (text) => digest('sha1', text),
  sha256sum: (text) => digest('sha256', text),
};

export function isFunction(name: string): boolean {
  return Object.hasOwn(FUNCTIONS, name);
}

export function functionNames(): readonly string[] {
  return Object.keys(FUNCTIONS);
}

/** @throws {UnfitValue} */
export function applyFunction(name: string, inputs: readonly (TemplateValue | undefined)[]): TemplateValue {
  const called = isFunction(name) ? FUNCTIONS[name] : undefined;
  if (called === undefined) throw new UnfitValue(`there is no function ${name}`);
  return called(...inputs);
}

/** Text as Go prints it. @throws {UnfitValue} for a list or a map */
export function textOf(value: TemplateValue | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  throw new UnfitValue(value === undefined ? 'a value is missing' : 'a list or map stands where text is needed');
}

function present(value: TemplateValue | undefined): TemplateValue {
  if (value === undefined) throw new UnfitValue('a value is missing');
  return value;
}

function member(value: TemplateValue, key: TemplateValue | undefined): TemplateValue {
  if (Array.isArray(value)) return present(value[numberOf(key)] as TemplateValue | undefined);
  if (typeof value !== 'object') throw new UnfitValue('index needs a list or a map');
  const name = textOf(key);
  return present(Object.hasOwn(value, name) ? (value as Record<string, TemplateValue>)[name] : undefined);
}

function listOf(value: TemplateValue | undefined): readonly TemplateValue[] {
  if (!Array.isArray(value)) throw new UnfitValue('a list is needed');
  return value;
}

function numberOf(value: TemplateValue | undefined): number {
  if (typeof value !== 'bigint' || value > 1_000_000n || value < -1_000_000n)
    throw new UnfitValue('a number is needed');
  return Number(value);
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function withoutSuffix(text: string, suffix: string): string {
  return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

function substring(text: string, start: number, end: number): string {
  if (start < 0) return text.slice(0, Math.max(end, 0));
  return end < 0 || end > text.length ? text.slice(start) : text.slice(start, Math.max(start, end));
}

function truncated(text: string, length: number): string {
  return length < 0 ? text.slice(length) : text.slice(0, length);
}

function digest(algorithm: string, text: TemplateValue | undefined): string {
  return createHash(algorithm).update(textOf(text)).digest('hex');
}
