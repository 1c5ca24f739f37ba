import type { BigIntStats } from 'node:fs';
import { type FileHandle, readlink, stat } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import type { FileDigests } from './file-digests.ts';
import type { ProcessDirectory } from './process-directory.ts';

/** What is known of the file a process executes. */
export interface Executable {
  /** Absolute; undefined if that path, as the agent sees it, is not this file. */
  readonly path: string | undefined;
  /** Lower-case hex; undefined if no digest is wanted. */
  readonly sha256: string | undefined;
}

/**
 * Looks at the running file through one descriptor, so that path and digest are of the same file.
 *
 * `sizeLimit` is in bytes: 0 = none, negative = no digest at all.
 *
 * @throws {IssuerError} `internal` for anything that cannot be read, and for a file above the limit.
 */
export async function readExecutable(
  process: ProcessDirectory,
  digests: FileDigests,
  sizeLimit: number,
): Promise<Executable> {
  const file = await process.file('exe');
  let closeHere = true;
  try {
    const stats = await file.stat({ bigint: true });
    const path = await pathOf(file, stats);
    if (sizeLimit < 0) return { path, sha256: undefined };
    if (sizeLimit > 0 && stats.size > BigInt(sizeLimit)) {
      throw new IssuerError('internal', `the executable is larger than workload_size_limit (${sizeLimit} bytes)`);
    }
    closeHere = false;
    return { path, sha256: await digests.digest(file, stats) };
  } finally {
    if (closeHere) await file.close();
  }
}

/**
 * The kernel's name for an open file is how it was reached, perhaps in a private mount namespace where anything may be
 * mounted over `/usr/bin`. It says something only if the agent finds the same file there. A deleted or replaced file has
 * no path either.
 */
async function pathOf(file: FileHandle, { dev, ino }: BigIntStats): Promise<string | undefined> {
  const name = await readlink(`/proc/self/fd/${file.fd}`, 'buffer');
  const path = name.toString('utf8');
  // A selector is UTF-8, and a replacement character would make different files alike.
  if (!path.startsWith('/') || !Buffer.from(path, 'utf8').equals(name)) return undefined;
  try {
    const seen = await stat(path, { bigint: true });
    return seen.dev === dev && seen.ino === ino ? path : undefined;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new IssuerError('internal', `the executable's path cannot be checked (${code})`, { cause });
  }
}
