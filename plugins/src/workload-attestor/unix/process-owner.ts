import { IssuerError } from '@steeple/core';

/** As whom a process acts now, in the agent's user namespace. */
export interface ProcessOwner {
  /** Effective. */
  readonly uid: number;
  /** Effective. */
  readonly gid: number;
  readonly supplementaryGids: readonly number[];
}

/**
 * Reads `/proc/<pid>/status` (proc_pid_status(5)). The kernel escapes line feeds in the name a process gives itself, so
 * a line that starts with `Uid:` is the kernel's.
 *
 * @throws {IssuerError} `internal` if a line is missing or malformed.
 */
export function parseOwner(status: string): ProcessOwner {
  const lines = status.split('\n');
  return {
    uid: effective(lines, 'Uid'),
    gid: effective(lines, 'Gid'),
    supplementaryGids: numbers(lines, 'Groups'),
  };
}

/** Of real, effective, saved and file system id the second. */
function effective(lines: readonly string[], field: string): number {
  const ids = numbers(lines, field);
  const id = ids[1];
  if (ids.length !== 4 || id === undefined) throw unreadable(field);
  return id;
}

function numbers(lines: readonly string[], field: string): number[] {
  const [line, ...more] = lines.filter((one) => one.startsWith(`${field}:`));
  if (line === undefined || more.length > 0) throw unreadable(field);
  const words = line
    .slice(field.length + 1)
    .split(/[\t ]+/)
    .filter((word) => word !== '');
  if (!words.every((word) => /^[0-9]{1,10}$/.test(word))) throw unreadable(field);
  return words.map(Number);
}

function unreadable(field: string): IssuerError {
  return new IssuerError('internal', `the process status has no proper line "${field}"`);
}
