import { generateKey, type KeyType } from '@steeple/spiffe';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import type { KeyManager, SigningKey } from './key-manager.ts';
import { localKey, requireKeyId, sortedKeys } from './local-key.ts';

/** Keys that end with the process: a server starts with new authorities, an agent attests again. */
export class MemoryKeyManager implements KeyManager {
  readonly #keys = new Map<string, SigningKey>();

  async generate(id: string, type: KeyType): Promise<SigningKey> {
    requireKeyId(id);
    const key = localKey(id, generateKey(type));
    this.#keys.set(id, key);
    return key;
  }

  async find(id: string): Promise<SigningKey | undefined> {
    return this.#keys.get(id);
  }

  async list(): Promise<readonly SigningKey[]> {
    return sortedKeys(this.#keys);
  }

  async remove(id: string): Promise<void> {
    this.#keys.delete(id);
  }

  async close(): Promise<void> {
    this.#keys.clear();
  }
}

const schema = z.strictObject({});

export const memoryKeyManager: PluginDefinition<'key-manager', z.infer<typeof schema>> = {
  kind: 'key-manager',
  name: 'memory',
  schema,
  create: async () => new MemoryKeyManager(),
};
