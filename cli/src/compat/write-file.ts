import { writeFileAtomic } from '@steeple/daemon';
import { CommandError } from './command-error.ts';

const REASON: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
};

/** Writes a file whole or not at all. @throws {CommandError} */
export async function writeFile(path: string, text: string, mode: number): Promise<void> {
  await writeFileAtomic(path, text, { mode }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`open ${path}: ${REASON[error.code ?? ''] ?? error.message}`, { cause: error });
  });
}
