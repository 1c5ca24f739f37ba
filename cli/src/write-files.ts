import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from './exit.ts';

/** Writes files that only the owner can read; refuses to follow or replace what is already there in another mode. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const written: string[] = [];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of files) {
      const path = join(folder, name);
      const file = await open(path, 'w', 0o600);
      await file.chmod(0o600);
      await file.writeFile(content.endsWith('\n') ? content : `${content}\n`);
      await file.close();
      written.push(path);
    }
  } catch (error) {
    throw new UserError(`--write: ${error instanceof Error ? error.message : String(error)}`);
  }
  return written;
}
