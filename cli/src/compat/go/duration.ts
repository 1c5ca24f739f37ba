// Durations in the syntax of the Go programs: `1h30m`, `1.5s`, `720h0m0s`. Nanoseconds, as bigint, because that is what is rounded.
import { quote } from './quote.ts';

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const LARGEST = 2n ** 63n - 1n;
export const SECOND = 1_000_000_000n;

/** Nanoseconds of a duration. @throws {Error} with Go's words for what is wrong */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith('-');
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0n;
  if (rest === '') throw invalid(text);
  let sum = 0n;
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest);
    const [all = '', whole = '', fraction = ''] = number ?? [];
    if (whole === '' && fraction === '') throw invalid(text);
    rest = rest.slice(all.length);
    const [name = ''] = /^[^\d.]*/.exec(rest) ?? [];
    if (name === '') throw new Error(`time: missing unit in duration ${quote(text)}`);
    const unit = UNITS.get(name);
    if (unit === undefined) throw new Error(`time: unknown unit ${quote(name)} in duration ${quote(text)}`);
    rest = rest.slice(name.length);
    sum +=
      BigInt(whole === '' ? '0' : whole) * unit +
      (BigInt(fraction === '' ? '0' : fraction) * unit) / 10n ** BigInt(fraction.length);
    if (sum > LARGEST) throw invalid(text);
  }
  return negative ? -sum : sum;
}

const invalid = (text: string): Error => new Error(`time: invalid duration ${quote(text)}`);

/** A duration as Go writes it: `0s`, `1.5ms`, `720h0m0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < SECOND) return sign + small(size);
  const hours = size / 3_600_000_000_000n;
  const minutes = (size / 60_000_000_000n) % 60n;
  const seconds = `${decimal(size % 60_000_000_000n, 9)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

const small = (size: bigint): string => {
  if (size < 1_000n) return `${size}ns`;
  return size < 1_000_000n ? `${decimal(size, 3)}µs` : `${decimal(size, 6)}ms`;
};

/** `value` divided by ten to the power of `digits`, without trailing zeros. */
const decimal = (value: bigint, digits: number): string => {
  const scale = 10n ** BigInt(digits);
  const fraction = (value % scale).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`;
};
