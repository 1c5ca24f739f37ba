import { IssuerError } from '@steeple/core';
import { parseCgroupPaths } from '../container/cgroup-paths.ts';
import { type ContainerLocation, loginOf } from '../container/locate-container.ts';

/** A pattern cannot be used. The message is for whoever configures. */
export class MatcherError extends Error {}

/**
 * SPIRE's older way to find containers, by patterns of whole paths: `*` is any one part, and `<id>` the one that names the
 * container. Of two patterns that could match the same path both are refused.
 *
 * @throws {MatcherError}
 */
export function cgroupMatchers(patterns: readonly string[]): (cgroup: string) => ContainerLocation | undefined {
  const parts = patterns.map((pattern) => pattern.split('/'));
  for (const [index, pattern] of parts.entries()) {
    if (pattern.filter((part) => part === '<id>').length !== 1) {
      throw new MatcherError(`the pattern "${patterns[index]}" must have the part <id> once`);
    }
    const twin = parts.findIndex((other, at) => at < index && mayMatchTheSame(pattern, other));
    if (twin >= 0) {
      throw new MatcherError(`the patterns "${patterns[twin]}" and "${patterns[index]}" can match the same path`);
    }
  }
  return (cgroup) => {
    const found = parseCgroupPaths(cgroup).flatMap(({ segments }) => {
      const path = ['', ...(segments.length === 0 ? [''] : segments)];
      const pattern = parts.find((each) => matches(each, path));
      return pattern === undefined ? [] : [{ segments, containerId: path[pattern.indexOf('<id>')] ?? '' }];
    });
    const [first, ...others] = found;
    if (first === undefined) return undefined;
    const { containerId, segments } = first;
    if (containerId === '' || others.some((other) => other.containerId !== containerId)) {
      throw new IssuerError('failed-precondition', 'the control groups of the process do not name one container');
    }
    const podman = segments.some((name) => name.startsWith('libpod-') || name === 'libpod');
    return { containerId, podUid: undefined, podman, loginUid: loginOf(segments) };
  };
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length === path.length && pattern.every((part, index) => isAny(part) || part === path[index]);
}

function mayMatchTheSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, index) => isAny(part) || isAny(b[index]) || part === b[index]);
}

function isAny(part: string | undefined): boolean {
  return part === '*' || part === '<id>';
}
