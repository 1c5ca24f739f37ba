import { isDnsName } from '@steeple/spiffe';
import { linearPattern } from './linear-pattern.ts';

/** Names of hosts that an operator lets attest. */
export interface HostNames {
  /** Whether a pattern matches the whole name; without patterns every name does. */
  allow(name: string): boolean;
}

/** What resolvers take for an IPv4 address in one of its other spellings. */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/i;

/** @throws {SyntaxError} for a pattern that is no regular expression, or one that is not supported */
export function hostNamesOf(patterns: readonly string[]): HostNames {
  const all = patterns.map(linearPattern);
  return { allow: (name) => all.length === 0 || all.some((pattern) => pattern.matches(name)) };
}

/** A DNS name that no resolver reads as an address. */
export function isHostName(name: string): boolean {
  return isDnsName(name) && !name.startsWith('*') && !NUMERIC_LABEL.test(name.split('.').at(-1) ?? '');
}
