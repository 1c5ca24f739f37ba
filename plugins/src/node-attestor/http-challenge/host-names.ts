import { runInNewContext } from 'node:vm';
import { isDnsName } from '@steeple/spiffe';

/** Names of hosts that an operator lets attest. */
export interface HostNames {
  /** Whether a pattern matches the whole name; without patterns every name does. */
  allow(name: string): boolean;
}

/** A pattern that takes longer for a name does not match it: the name is a stranger's. */
const MILLISECONDS = 50;

/** What resolvers take for an IPv4 address in one of its other spellings. */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/i;

/** @throws {SyntaxError} for a pattern that is no regular expression */
export function hostNamesOf(patterns: readonly string[]): HostNames {
  const expressions = patterns.map((pattern) => new RegExp(`^(?:${pattern})$`, 'u'));
  return { allow: (name) => expressions.length === 0 || expressions.some((expression) => matches(expression, name)) };
}

/** A DNS name that no resolver reads as an address. */
export function isHostName(name: string): boolean {
  return isDnsName(name) && !name.startsWith('*') && !NUMERIC_LABEL.test(name.split('.').at(-1) ?? '');
}

function matches(expression: RegExp, name: string): boolean {
  try {
    return runInNewContext('expression.test(name)', { expression, name }, { timeout: MILLISECONDS }) === true;
  } catch {
    return false;
  }
}
