import { lstat, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import { reasonOf } from './files.ts';

/** `sockaddr_un.sun_path` of Linux, without its final NUL. */
const LONGEST_SOCKET_PATH = 107;
const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;
/** Owner shown for files from outside a user namespace. */
const OVERFLOW_UID = 65_534;

/** Why no unix socket can have this path, wherever it leads; undefined if it can. */
export function socketPathFault(path: string): string | undefined {
  if (path.includes('\0')) return 'socket path contains a NUL character';
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_SOCKET_PATH) return undefined;
  return `socket path ${path} has ${bytes} bytes; at most ${LONGEST_SOCKET_PATH} are possible: choose a shorter one`;
}

/**
 * Requires that a unix socket can be made at this path, and that nobody but its owner and root can put another in its
 * place: no directory on the way belongs to another user or lets others rename what is in it.
 *
 * @throws {ConfigError} naming the path, and what to do
 */
export async function checkSocketDirectory(path: string): Promise<void> {
  const fault = socketPathFault(path);
  if (fault !== undefined) throw new ConfigError(fault);
  for (const directory of directoriesAbove(resolve(path))) await checkDirectory(directory, path);
}

/**
 * Removes a socket that a process left behind. Refuses when somebody still answers on it, or when it is no socket.
 *
 * @throws {ConfigError}
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ConfigError(`cannot look at ${path}: ${reasonOf(error)}`, { cause: error });
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new ConfigError(`${path} exists and is not a socket: move it away`);
  const state = await probe(path);
  if (state === 'live') throw new ConfigError(`socket ${path} is in use by another process`);
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return;
    throw new ConfigError(`cannot remove stale socket ${path}: ${reasonOf(error)}`, { cause: error });
  });
}

async function checkDirectory(directory: string, socket: string): Promise<void> {
  const found = await stat(directory).catch((error: unknown) => {
    throw new ConfigError(`directory ${directory} of socket ${socket}: ${reasonOf(error)}`, { cause: error });
  });
  if (!found.isDirectory()) throw new ConfigError(`${directory}, above socket ${socket}, is not a directory`);
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0 && (found.mode & STICKY) === 0) {
    throw new ConfigError(
      `directory ${directory} of socket ${socket} is writable by every user, who could replace the socket: chmod o-w it`,
    );
  }
  const self = process.geteuid?.() ?? 0;
  if (found.uid !== 0 && found.uid !== self && found.uid !== OVERFLOW_UID) {
    throw new ConfigError(
      `directory ${directory} of socket ${socket} belongs to user ${found.uid}, who could replace the socket: chown it`,
    );
  }
}

function directoriesAbove(path: string): string[] {
  const above: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    above.push(at);
    if (at === dirname(at)) return above;
  }
}

/** Only a refused connection proves that nobody listens; a full backlog or a missing permission does not. */
function probe(path: string): Promise<'live' | 'stale'> {
  return new Promise((settle) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      settle('live');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'stale' : 'live');
    });
  });
}
