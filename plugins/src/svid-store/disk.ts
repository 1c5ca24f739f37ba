import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readlink, rename, rm, symlink, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { IssuerError } from '@steeple/core';
import { ensureDir, reasonOf, writeFileAtomic } from '@steeple/daemon';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { formatSvidFiles } from './disk/svid-files.ts';
import type { StorableSvid, SvidStore } from './svid-store.ts';

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;

/**
 * SVIDs as PEM files (mode 0600) in a directory for each. The selector `disk:name:web` puts one into `<directory>/web`.
 *
 * 1. `<directory>/<name>` is a link to a directory with a name of its own. A new SVID is written beside the old one and
 *    the link is replaced, so whoever opens the directory finds the files of one SVID.
 * 2. What a crash leaves lies under hidden names and is cleared away by the next change of the same name.
 * 3. Something else that has the name is not touched.
 */
export class DiskSvidStore implements SvidStore {
  readonly #directory: string;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws {ConfigError} if the directory cannot be had */
  static async open(directory: string): Promise<DiskSvidStore> {
    await ensureDir(directory, 0o700);
    return new DiskSvidStore(directory);
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  async put(storable: StorableSvid, metadata: readonly string[]): Promise<void> {
    const name = nameIn(metadata);
    await this.#alone(name, async () => {
      await this.#requireLink(name);
      const version = `.${name}.${randomBytes(8).toString('hex')}`;
      const folder = join(this.#directory, version);
      await mkdir(folder, { mode: 0o700 });
      for (const [file, content] of formatSvidFiles(storable)) {
        await writeFileAtomic(join(folder, file), content, { mode: 0o600 });
      }
      await symlink(version, `${folder}.link`);
      await rename(`${folder}.link`, join(this.#directory, name));
      await this.#clear(name, version);
    });
  }

  async remove(metadata: readonly string[]): Promise<void> {
    const name = nameIn(metadata);
    await this.#alone(name, async () => {
      if (await this.#requireLink(name)) await unlink(join(this.#directory, name));
      await this.#clear(name);
    });
  }

  /** Whether there is a link of ours. @throws if something else has its name */
  async #requireLink(name: string): Promise<boolean> {
    const path = join(this.#directory, name);
    try {
      if ((await lstat(path)).isSymbolicLink() && isVersion(name, await readlink(path))) return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    throw new Error('there is something else of that name');
  }

  /** Removes every version but one. */
  async #clear(name: string, keep?: string): Promise<void> {
    for (const found of await readdir(this.#directory)) {
      const isOurs = isVersion(name, found) || isVersion(name, found.replace(/\.link$/, ''));
      if (isOurs && found !== keep) await rm(join(this.#directory, found), { recursive: true, force: true });
    }
  }

  async #alone(name: string, change: () => Promise<void>): Promise<void> {
    const done = this.#last.then(change).catch((cause: unknown) => {
      const message = `the SVID ${name} in ${this.#directory} could not be changed: ${reasonOf(cause)}`;
      throw new IssuerError('internal', message, { cause });
    });
    this.#last = done.catch(() => undefined);
    await done;
  }
}

function isVersion(name: string, text: string): boolean {
  return text.startsWith(`.${name}.`) && /^[0-9a-f]{16}$/.test(text.slice(name.length + 2));
}

function nameIn(metadata: readonly string[]): string {
  const [first = '', ...more] = metadata;
  const name = first.startsWith('name:') ? first.slice('name:'.length) : '';
  if (more.length === 0 && NAME.test(name)) return name;
  const message = 'the entry needs one selector such as disk:name:web, with letters, digits, ".", "_" and "-" only';
  throw new IssuerError('invalid-argument', message);
}

const schema = z
  .strictObject({
    /** Under which the SVIDs' directories are. */
    directory: z.string().min(1),
  })
  .transform(({ directory }) => resolve(directory));

export const diskSvidStore: PluginDefinition<'svid-store', string> = {
  kind: 'svid-store',
  name: 'disk',
  schema,
  create: (directory) => DiskSvidStore.open(directory),
};
