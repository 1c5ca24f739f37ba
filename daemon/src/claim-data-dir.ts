import { constants } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';
import { ensureDir, reasonOf } from './files.ts';

/** Held until disposed, or until the process ends however it ends. */
export interface DirectoryLock extends AsyncDisposable {
  /** The locked file. */
  readonly path: string;
}

type Flock = (fd: number, operation: number) => number;

// The same on every system that has flock(2).
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = new Set([11, 35]);
let loaded: { flock: Flock; errno: () => number } | undefined;

/**
 * Makes a process's data directory if it is missing, and makes sure that one process at a time works with it in this
 * role, `agent` or `server`: two would overwrite each other's keys. The lock is the
 * kernel's, so one that was left by a killed process, or by a machine that lost power, holds nobody up; only the empty
 * file stays. A server and an agent may share a directory.
 *
 * @throws {ConfigError} naming the process that holds it, where the kernel tells
 */
export async function claimDataDir(directory: string, role: 'agent' | 'server'): Promise<DirectoryLock> {
  await ensureDir(directory, 0o700);
  const path = join(directory, `${role}.lock`);
  const file = await openLock(path);
  try {
    const { flock, errno } = await library();
    if (flock(file.fd, LOCK_EX | LOCK_NB) !== 0) {
      if (!EWOULDBLOCK.has(errno())) throw new ConfigError(`cannot lock ${path}: error ${errno()} of the file system`);
      throw new ConfigError(`${directory} is in use by another ${role}${await holderOf(path)}: stop it or use another`);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: () => file.close() };
}

/** A file system that has become read-only still locks what is there. */
async function openLock(path: string): Promise<FileHandle> {
  const { O_RDWR, O_RDONLY, O_CREAT, O_NOFOLLOW } = constants;
  try {
    return await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EROFS') throw error;
      return open(path, O_RDONLY | O_NOFOLLOW);
    });
  } catch (cause) {
    throw new ConfigError(`cannot open the lock ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** ` (process 123)`, or nothing where it is not known: in another container, or on another system than Linux. */
async function holderOf(path: string): Promise<string> {
  try {
    const { ino } = await stat(path);
    const lock = new RegExp(`FLOCK\\s+ADVISORY\\s+WRITE\\s+([1-9]\\d*)\\s+[0-9a-f]+:[0-9a-f]+:${ino}\\s`);
    const pid = lock.exec(await readFile('/proc/locks', 'utf8'))?.[1];
    return pid === undefined ? '' : ` (process ${pid})`;
  } catch {
    return '';
  }
}

/** Loaded when it is needed: commands that only ask a running process never are. */
async function library(): Promise<{ flock: Flock; errno: () => number }> {
  if (loaded === undefined) {
    const { default: koffi } = await import('koffi');
    loaded = {
      flock: koffi.load(null).func('int flock(int fd, int operation)') as Flock,
      errno: () => koffi.errno(),
    };
  }
  return loaded;
}
