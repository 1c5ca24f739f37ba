import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from './config-error.ts';

/**
 * Replaces a file so that a reader, and a machine that loses power, sees the old content or the new, never a part. When
 * it resolves, the new content is on disk. The mode is set whatever the umask.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const { mode = 0o600 } = options;
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path).slice(0, 200)}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeNew(temporary, data, mode);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(directory);
}

/** Makes a directory and its missing parents; those it makes get this mode. Throws `ConfigError` if it cannot. */
export async function ensureDir(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    throw new ConfigError(`cannot create directory ${path}: ${reasonOf(error)}`, { cause: error });
  }
  throw new ConfigError(`${path} is not a directory`);
}

/** What the system said, without the path it repeats. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : (message.split(',')[0] ?? message);
}

async function writeNew(path: string, data: Uint8Array | string, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    await file.chmod(mode);
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this a rename may be forgotten when power fails. Some file systems cannot, and say EINVAL. */
async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(path, 'r');
    await directory.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await directory?.close();
  }
}
