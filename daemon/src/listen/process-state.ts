import { readSmallFile } from './read-small-file.ts';

/** What `/proc/<pid>/stat` says of a process. */
export interface ProcessState {
  /** Clock ticks since boot. */
  readonly startTime: string;
  /** A zombie or dead. */
  readonly ended: boolean;
}

/** Undefined when there is no such process or it may not be looked at. */
export function processState(pid: number): ProcessState | undefined {
  try {
    return parseStat(readSmallFile(`/proc/${pid}/stat`));
  } catch {
    return undefined;
  }
}

/** Reads a stat line. The process chooses its name, which may hold anything, so fields count from the last `)`. */
export function parseStat(line: string): ProcessState | undefined {
  const nameEnd = line.lastIndexOf(')');
  if (nameEnd < 0) return undefined;
  const [state, ...rest] = line.slice(nameEnd + 2).split(' ');
  // proc(5): the state is field 3, the start time field 22.
  const startTime = rest[18];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime)) return undefined;
  return { startTime, ended: state === 'Z' || state === 'X' || state === 'x' };
}
