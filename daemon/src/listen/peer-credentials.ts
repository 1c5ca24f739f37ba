import { closeSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import koffi from 'koffi';
import { descriptorOf } from './descriptor-of.ts';
import { processState } from './process-state.ts';
import { readSmallFile } from './read-small-file.ts';

/** The process at the other end of a Unix socket, as the kernel knew it when it connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Start time of the process in clock ticks since boot; with the pid it names one process for good. */
  readonly startTime: string;
  /** Undefined where the kernel has none to give (before Linux 6.5). */
  readonly pidfd: number | undefined;
  /**
   * True while this very process exists; false for a zombie, a reused pid, and after `close`.
   * What was read under /proc/<pid> belongs to the peer if this is true before and after the reading.
   */
  isAlive(): boolean;
  close(): void;
}

// From the kernel's uapi headers; the same on every architecture Node is published for.
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERPIDFD = 77;
const ENOPROTOOPT = 92;

type GetSockOpt = (fd: number, level: number, name: number, value: Uint8Array, length: number[]) => number;
let loaded: GetSockOpt | undefined;

/**
 * Reads who connected. Call it when the connection is accepted, before a byte is read.
 * Fails closed: throws if anything is unknown, inconsistent, or the process is gone already.
 */
export function peerCredentials(socket: Socket): PeerCredentials {
  const fd = descriptorOf(socket);
  const [pid, uid, gid] = peerCred(fd);
  const pidfd = peerPidfd(fd);
  try {
    if (pid <= 0) throw new Error('the peer is in another PID namespace');
    const startTime = processState(pid)?.startTime;
    const peer = new Peer({ pid, uid, gid, pidfd, startTime: startTime ?? '' });
    if (startTime === undefined || !peer.isAlive()) throw new Error('the peer process is gone');
    return peer;
  } catch (error) {
    if (pidfd !== undefined) closeSync(pidfd);
    throw error;
  }
}

/**
 * The process that has this pid now. Nothing ties a number to a process before this call: it is for callers who answer
 * for the number themselves. Throws if there is no such process.
 */
export function processCredentials(pid: number): PeerCredentials {
  const startTime = Number.isInteger(pid) && pid > 0 ? processState(pid)?.startTime : undefined;
  const owner = startTime === undefined ? undefined : statSync(`/proc/${pid}`, { throwIfNoEntry: false });
  if (startTime === undefined || owner === undefined) throw new Error('there is no such process');
  const peer = new Peer({ pid, uid: owner.uid, gid: owner.gid, startTime, pidfd: undefined });
  if (!peer.isAlive()) throw new Error('there is no such process');
  return peer;
}

class Peer implements PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly startTime: string;
  readonly pidfd: number | undefined;
  #closed = false;

  constructor(from: Pick<PeerCredentials, 'pid' | 'uid' | 'gid' | 'startTime' | 'pidfd'>) {
    this.pid = from.pid;
    this.uid = from.uid;
    this.gid = from.gid;
    this.startTime = from.startTime;
    this.pidfd = from.pidfd;
  }

  isAlive(): boolean {
    // A closed pidfd's number may belong to another file by now.
    if (this.#closed) return false;
    if (this.pidfd !== undefined && pidOf(this.pidfd) !== this.pid) return false;
    const state = processState(this.pid);
    return state !== undefined && !state.ended && state.startTime === this.startTime;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.pidfd !== undefined) closeSync(this.pidfd);
  }
}

function peerCred(fd: number): [pid: number, uid: number, gid: number] {
  const value = new Uint8Array(12);
  const length = [value.byteLength];
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length) !== 0) throw new Error('SO_PEERCRED was refused');
  if (length[0] !== value.byteLength) throw new Error('SO_PEERCRED gave a wrong size');
  const [pid = 0] = new Int32Array(value.buffer);
  const [, uid, gid] = new Uint32Array(value.buffer);
  // -1 is what the kernel gives when it knows no owner.
  if (uid === undefined || gid === undefined || uid === 0xffffffff) throw new Error('the peer has no owner');
  return [pid, uid, gid];
}

function peerPidfd(fd: number): number | undefined {
  const value = new Uint8Array(4);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, value, [value.byteLength]) === 0) {
    const [pidfd = -1] = new Int32Array(value.buffer);
    if (pidfd >= 0) return pidfd;
  } else if (koffi.errno() === ENOPROTOOPT) {
    return undefined;
  }
  throw new Error('SO_PEERPIDFD was refused');
}

function getsockopt(...args: Parameters<GetSockOpt>): number {
  if (process.platform !== 'linux') throw new Error('peer credentials are only known on Linux');
  loaded ??= koffi
    .load(null)
    .func('int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)') as GetSockOpt;
  return loaded(...args);
}

/** The pid a pidfd stands for; -1 once that process has been reaped. */
function pidOf(pidfd: number): number {
  try {
    return Number(/^Pid:\s*(-?\d+)$/m.exec(readSmallFile(`/proc/self/fdinfo/${pidfd}`))?.[1] ?? -1);
  } catch {
    return -1;
  }
}
