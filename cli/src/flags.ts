// Reading the values of flags, with errors that name the flag and the form that would do.
import { parseDuration } from '@steeple/daemon';
import { UserError } from './exit.ts';
import type { Options } from './verb.ts';

export function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function requiredText(options: Options, name: string, flag: string): string {
  const value = text(options, name);
  if (value === undefined || value === '') throw new UserError(`${flag} is required`, `see --help for an example`);
  return value;
}

export function texts(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function isOn(options: Options, name: string): boolean {
  return options[name] === true;
}

const DAYS = /^(\d+(?:\.\d+)?)d(?=\d|$)/;

/** `90`, `90s`, `1h30m` or `7d` in seconds; 0 when the flag is absent. */
export function seconds(options: Options, name: string, flag: string): number {
  const value = text(options, name);
  if (value === undefined) return 0;
  if (/^\d+$/.test(value)) return Number(value);
  try {
    if (/^[-+]/.test(value)) throw new RangeError('not a duration: it has a sign');
    const days = DAYS.exec(value);
    const rest = value.slice(days?.[0].length ?? 0);
    return Number(days?.[1] ?? 0) * 86_400 + (days !== null && rest === '' ? 0 : parseDuration(rest));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`${flag}: '${value}' is ${error.message}`, 'write it as 90s, 15m, 1h30m or 7d');
  }
}

/** Messages carry lives as 32 bit numbers. */
const LONGEST = 2 ** 31 - 1;

/** Whole seconds, rounded up so that a short life never becomes none. */
export function wholeSeconds(options: Options, name: string, flag: string): number {
  const value = Math.ceil(seconds(options, name, flag));
  if (value > LONGEST) throw new UserError(`${flag}: '${text(options, name)}' is too long`, 'at most 68 years');
  return value;
}
