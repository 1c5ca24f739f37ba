import { closeSync, constants, openSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { type PeerCredentials, readSmallFile } from '@steeple/daemon/listen';

/**
 * The directory `/proc/<pid>` of one process, held open: what is read through it is that process's or fails, even if the
 * pid has been given to another process meanwhile.
 *
 * Its small files are read without the thread pool: the kernel makes them up at once, and thousands of callers at the same
 * moment would wait there for each other.
 */
export class ProcessDirectory implements AsyncDisposable {
  readonly #peer: PeerCredentials;
  readonly #directory: number;

  /** @throws {IssuerError} `permission-denied` if the process is gone. */
  static async open(peer: PeerCredentials): Promise<ProcessDirectory> {
    let directory: number;
    try {
      directory = openSync(`/proc/${peer.pid}`, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (cause) {
      throw gone(cause);
    }
    const opened = new ProcessDirectory(peer, directory);
    // Only now is it sure that the directory is not that of a later process with the same pid.
    if (peer.isAlive()) return opened;
    await opened[Symbol.asyncDispose]();
    throw gone();
  }

  private constructor(peer: PeerCredentials, directory: number) {
    this.#peer = peer;
    this.#directory = directory;
  }

  /** The content of one of its files, or so many bytes of it. */
  async text(name: string, limit?: number): Promise<string> {
    return await this.#attempt(name, async (path) => readSmallFile(path, limit));
  }

  /** Opens one of its files, which the caller closes. */
  async file(name: string): Promise<FileHandle> {
    return await this.#attempt(name, (path) => open(path, 'r'));
  }

  /** Device and inode of what one of its links leads to. */
  async identityOf(name: string): Promise<string> {
    const { dev, ino } = await this.#attempt(name, (path) => stat(path, { bigint: true }));
    return `${dev}:${ino}`;
  }

  /** @throws {IssuerError} `permission-denied` unless the process still exists. */
  requireAlive(): void {
    if (!this.#peer.isAlive()) throw gone();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.#directory);
  }

  async #attempt<T>(name: string, read: (path: string) => Promise<T>): Promise<T> {
    try {
      return await read(`/proc/self/fd/${this.#directory}/${name}`);
    } catch (cause) {
      this.requireAlive();
      const { code } = cause as NodeJS.ErrnoException;
      throw new IssuerError('internal', `/proc/${this.#peer.pid}/${name} cannot be read (${code})`, { cause });
    }
  }
}

function gone(cause?: unknown): IssuerError {
  return new IssuerError('permission-denied', 'the calling process is gone', { cause });
}
