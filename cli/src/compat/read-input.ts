import { readFile } from 'node:fs/promises';
import { CommandError } from './command-error.ts';
import type { CompatIo } from './io.ts';

const REASON: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
};

/** The text of a file, or of standard input for `-`. @throws {CommandError} */
export async function readInput(path: string, io: CompatIo): Promise<string> {
  if (path === '-') return (await io.stdin()).toString('utf8');
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`open ${path}: ${REASON[error.code ?? ''] ?? error.message}`, { cause: error });
  });
}

/** Parsed JSON. @throws {CommandError} */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const empty = text.trim() === '';
    throw new CommandError(empty ? 'unexpected end of JSON input' : (error as Error).message, { cause: error });
  }
}
