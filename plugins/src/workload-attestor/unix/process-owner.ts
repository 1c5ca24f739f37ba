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
  return {
    uid: effective(status, 'Uid'),
    gid: effective(status, 'Gid'),
    supplementaryGids: numbers(status, 'Groups'),
  };
}

/** Of real, effective, saved and file system id the second. */
function effective(status: string, field: string): number {
  const ids = numbers(status, field);
  const id = ids[1];
  if (ids.length !== 4 || id === undefined) throw unreadable(field);
  return id;
}

function numbers(status: string, field: string): number[] {
  const lines = status.split('\n').filter((line) => line.startsWith(`${field}:`));
  const [line] = lines;
  if (line === undefined || lines.length !== 1) throw unreadable(field);
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
