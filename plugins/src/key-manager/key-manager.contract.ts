import { createPublicKey, verify } from 'node:crypto';
import { KEY_TYPES, type KeyType, spkiOf } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import type { KeyManager, SigningKey } from './key-manager.ts';

const SOME_TYPES: readonly KeyType[] = ['ec-p256', 'ec-p384', 'rsa-2048'];

/** What every key manager must do. `open` makes an empty one each time. */
export function keyManagerContract(open: () => Promise<KeyManager>): void {
  describe('a key manager', () => {
    it.each(SOME_TYPES)('makes %s keys that sign', async (type) => {
      const manager = await open();
      const key = await manager.generate('k', type);
      expect(key).toMatchObject({ id: 'k', type });
      const data = Buffer.from('data');
      const signature = await key.sign(data);
      expect(verify(KEY_TYPES[type].hash, data, key.publicKey, signature)).toBe(true);
      expect(verify(KEY_TYPES[type].hash, Buffer.from('other'), key.publicKey, signature)).toBe(false);
      if (key.privateKey !== undefined) {
        expect(spki({ publicKey: createPublicKey(key.privateKey) })).toBe(spki(key));
      }
      await manager.close();
    });

    it('finds keys by their id, lists them sorted, and forgets them', async () => {
      const manager = await open();
      const made = await Promise.all(['b', 'a', 'c'].map((id) => manager.generate(id, 'ec-p256')));
      expect((await manager.list()).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
      for (const key of made) expect(spki(await manager.find(key.id))).toBe(spki(key));
      expect(await manager.find('A')).toBeUndefined();
      expect(await manager.find('')).toBeUndefined();
      await manager.remove('b');
      await manager.remove('b');
      expect(await manager.find('b')).toBeUndefined();
      expect((await manager.list()).map(({ id }) => id)).toEqual(['a', 'c']);
      await manager.close();
    });

    it('replaces a key of the same name', async () => {
      const manager = await open();
      const old = await manager.generate('k', 'ec-p256');
      const fresh = await manager.generate('k', 'ec-p384');
      expect(spki(fresh)).not.toBe(spki(old));
      expect(spki(await manager.find('k'))).toBe(spki(fresh));
      expect(await manager.list()).toHaveLength(1);
      await manager.close();
    });

    it.each(['__proto__', 'constructor', 'x509-CA-A', '../x', 'ü "\\', 'x'.repeat(255)])(
      'takes the id %j',
      async (id) => {
        const manager = await open();
        const key = await manager.generate(id, 'ec-p256');
        expect(spki(await manager.find(id))).toBe(spki(key));
        expect((await manager.list()).map((each) => each.id)).toEqual([id]);
        await manager.close();
      },
    );

    it.each(['', 'x'.repeat(256)])('refuses the id %j', async (id) => {
      const manager = await open();
      await expect(manager.generate(id, 'ec-p256')).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(await manager.list()).toEqual([]);
      await manager.close();
    });
  });
}

export function spki(key: Pick<SigningKey, 'publicKey'> | undefined): string | undefined {
  return key && Buffer.from(spkiOf(key.publicKey)).toString('base64');
}
