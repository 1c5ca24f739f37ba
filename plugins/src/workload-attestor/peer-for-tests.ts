import { readFileSync } from 'node:fs';
import type { PeerCredentials } from '@steeple/daemon/listen';

/** A running process as a listener would present it. */
export function peerOf(pid: number): PeerCredentials {
  const startTime = startTimeOf(pid);
  return {
    pid,
    // What the socket said when it was opened; facts are read from the process, not from here.
    uid: 4_000_000_000,
    gid: 4_000_000_000,
    startTime: startTime ?? '',
    pidfd: undefined,
    isAlive: () => startTime !== undefined && startTimeOf(pid) === startTime,
    close: () => undefined,
  };
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
