import { IssuerError } from '@steeple/core';

/** Where a process is in one hierarchy of control groups. */
export interface CgroupPath {
  /** The controllers of the hierarchy, or its name; empty for cgroup v2. */
  readonly hierarchy: string;
  /** Seen from the reader's cgroup namespace: begins with `..` for what lies outside of it. */
  readonly segments: readonly string[];
}

/**
 * Reads `/proc/<pid>/cgroup` (cgroups(7)): one line for each hierarchy of v1, and one without controllers for v2. The
 * kernel allows no line feed in the name of a group.
 *
 * @throws {IssuerError} `internal` for anything else, an empty file included.
 */
export function parseCgroupPaths(text: string): readonly CgroupPath[] {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new IssuerError('internal', 'the control groups of the process are not told');
  return lines.map((line) => {
    const [, hierarchy, path] = /^\d+:([^:]*):\/(.*)$/s.exec(line) ?? [];
    if (hierarchy === undefined || path === undefined) throw malformed();
    return { hierarchy, segments: segmentsOf(path) };
  });
}

/**
 * The roots of the control group file systems in `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)). Lines that are not as
 * they should be, such as one that was cut off, are passed over.
 */
export function cgroupMountRoots(mountinfo: string): readonly (readonly string[])[] {
  return mountinfo.split('\n').flatMap((line) => {
    // The number of optional fields varies, and the source behind the type may be empty.
    const [, root, type] = /^\d+ \d+ \d+:\d+ \/(\S*) \S+ \S+(?: \S+)*? - (\S+) /.exec(line) ?? [];
    return root !== undefined && /^cgroup2?$/.test(type ?? '') ? [root.split('/').filter((part) => part !== '')] : [];
  });
}

function segmentsOf(path: string): readonly string[] {
  if (path === '') return [];
  const segments = path.split('/');
  if (segments.includes('')) throw malformed();
  return segments;
}

function malformed(): IssuerError {
  return new IssuerError('internal', 'a line of the control groups of the process cannot be understood');
}
