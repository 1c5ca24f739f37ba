import { IssuerError } from '@steeple/core';
import { parseCgroupPaths } from '../container/cgroup-paths.ts';

/**
 * Requires that a process is in the control groups of a container whose first process the engine has named, in every
 * hierarchy where the container has a group of its own. Names prove nothing, the way to them does: the group that the
 * engine has made is at one place.
 *
 * @param process - its `/proc/<pid>/cgroup`
 * @param first - that of the container's first process, which may have gone into a group below
 * @throws {IssuerError} `failed-precondition`
 */
export function requireMember(containerId: string, process: string, first: string): void {
  const places = new Map(parseCgroupPaths(process).map(({ hierarchy, segments }) => [hierarchy, segments]));
  const groups = parseCgroupPaths(first).flatMap(({ hierarchy, segments }) => {
    const end = segments.findLastIndex((name) => name.includes(containerId));
    return end < 0 ? [] : [{ hierarchy, group: segments.slice(0, end + 1) }];
  });
  const isWithin = ({ hierarchy, group }: (typeof groups)[number]) =>
    group.every((name, index) => places.get(hierarchy)?.[index] === name);
  if (groups.length > 0 && groups.every(isWithin)) return;
  throw new IssuerError(
    'failed-precondition',
    'the process is not where the engine has the container that its control groups name',
  );
}
