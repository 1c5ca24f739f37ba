import { dirname, join, resolve } from 'node:path';
import { IssuerError } from '@steeple/core';
import { ensureDir, writeFileAtomic } from '@steeple/daemon';
import { generateKey, type KeyType } from '@steeple/spiffe';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import type { KeyManager, SigningKey } from './key-manager.ts';
import { formatKeysFile, readKeysFile } from './keys-file.ts';
import { localKey, requireKeyId, sortedKeys } from './local-key.ts';

/**
 * Keys in one file (mode 0600) in SPIRE's form.
 *
 * 1. The file always holds a complete set of keys: it is replaced as a whole.
 * 2. What is in memory is in the file: memory changes only after the file.
 * 3. Changes happen one after the other.
 */
export class DiskKeyManager implements KeyManager {
  readonly #path: string;
  #keys: ReadonlyMap<string, SigningKey>;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws {ConfigError} if the file exists and cannot be used. */
  static async open(path: string): Promise<DiskKeyManager> {
    return new DiskKeyManager(path, await readKeysFile(path));
  }

  private constructor(path: string, keys: ReadonlyMap<string, SigningKey>) {
    this.#path = path;
    this.#keys = keys;
  }

  async generate(id: string, type: KeyType): Promise<SigningKey> {
    requireKeyId(id);
    const key = localKey(id, generateKey(type));
    await this.#change((keys) => keys.set(id, key));
    return key;
  }

  async find(id: string): Promise<SigningKey | undefined> {
    return this.#keys.get(id);
  }

  async list(): Promise<readonly SigningKey[]> {
    return sortedKeys(this.#keys);
  }

  async remove(id: string): Promise<void> {
    await this.#change((keys) => keys.delete(id));
  }

  async close(): Promise<void> {
    await this.#last;
  }

  async #change(change: (keys: Map<string, SigningKey>) => void): Promise<void> {
    const done = this.#last.then(async () => {
      const next = new Map(this.#keys);
      change(next);
      await this.#store(next);
      this.#keys = next;
    });
    this.#last = done.catch(() => undefined);
    await done;
  }

  async #store(keys: ReadonlyMap<string, SigningKey>): Promise<void> {
    try {
      await ensureDir(dirname(this.#path), 0o700);
      await writeFileAtomic(this.#path, formatKeysFile(keys), { mode: 0o600 });
    } catch (cause) {
      throw new IssuerError('internal', `the keys file ${this.#path} could not be written`, { cause });
    }
  }
}

const schema = z
  .strictObject({
    /** SPIRE server's setting: the file. */
    keys_path: z.string().min(1).optional(),
    /** SPIRE agent's setting: the directory that holds `keys.json`. */
    directory: z.string().min(1).optional(),
  })
  .refine(
    ({ keys_path, directory }) => (keys_path === undefined) !== (directory === undefined),
    'set either "keys_path" (a file) or "directory" (which then holds keys.json)',
  )
  .transform(({ keys_path, directory }) => resolve(keys_path ?? join(directory ?? '', 'keys.json')));

export const diskKeyManager: PluginDefinition<'key-manager', z.infer<typeof schema>> = {
  kind: 'key-manager',
  name: 'disk',
  schema,
  create: (path) => DiskKeyManager.open(path),
};
