import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { UserError } from '../exit.ts';

/** A file of objects, as it was read. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

const MANIFEST = /\.(?:ya?ml|json)$/i;
const LARGEST = 16 * 1024 * 1024;

/** Reads files, the `.yaml`, `.yml` and `.json` files of folders, and standard input for `-`. @throws {UserError} */
export async function readManifestFiles(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    if (path === '-')
      files.push({ name: 'standard input', text: decode('standard input', await buffer(process.stdin)) });
    else for (const name of await manifestsAt(path)) files.push({ name, text: await readOne(name) });
  }
  return files;
}

const manifestsAt = async (path: string): Promise<readonly string[]> => {
  const found = await stat(path).catch((error: unknown) => unreadable(path, error));
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => MANIFEST.test(name)).toSorted();
  if (names.length > 0) return names.map((name) => join(path, name));
  throw new UserError(`the folder ${path} holds no .yaml, .yml or .json file`);
};

const readOne = async (path: string): Promise<string> => {
  const { size } = await stat(path).catch((error: unknown) => unreadable(path, error));
  if (size > LARGEST) throw tooLong(path);
  return decode(path, await readFile(path).catch((error: unknown) => unreadable(path, error)));
};

const decode = (name: string, bytes: Uint8Array): string => {
  if (bytes.length > LARGEST) throw tooLong(name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${name} is not UTF-8 text`);
  }
};

const tooLong = (name: string): UserError => new UserError(`${name} is longer than ${LARGEST} bytes`);

const unreadable = (path: string, error: unknown): never => {
  throw new UserError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
};
