import { CommandError } from '../command-error.ts';
import { formatDuration, SECOND } from '../go/duration.ts';

/** A number that a message carries in 32 bits. @throws {CommandError} that names the value */
export function int32(value: bigint, name: string): number {
  return checked(value, name, `int(${value})`);
}

/** A duration in whole seconds, rounded up, as messages carry it. @throws {CommandError} when it is too long */
export function wholeSeconds(nanoseconds: bigint): number {
  // Division of bigints cuts towards zero, as Go's does.
  const value = (nanoseconds + SECOND - 1n) / SECOND;
  return checked(value, 'TTL', `time.Duration(${formatDuration(value)})`);
}

const checked = (value: bigint, name: string, shown: string): number => {
  if (BigInt.asIntN(32, value) === value) return Number(value);
  throw new CommandError(`invalid value for ${name}: overflow converting ${shown} to int32`);
};
