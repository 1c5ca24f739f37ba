import { createHash } from 'node:crypto';
import { inclusionProof, leafHash, type Sha256, subtreesOfTiles, TreeEdge, verifyInclusion } from '@steeple/core/log';
import { describe, expect, it } from 'vitest';
import type { Datastore } from './datastore.ts';

const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const entry = (at: number) => Buffer.from(`entry ${at}`);

export function auditStoreContract(open: () => Promise<Datastore>): void {
  describe('the audit log', () => {
    it('begins empty, and numbers what is appended', async () => {
      await using store = await open();
      expect(await store.audit.edge()).toEqual({ size: 0, hashes: [] });
      expect(await store.audit.append([])).toBe(0);
      const indexes = await Promise.all([
        store.audit.append([entry(0), entry(1)]),
        store.audit.append([entry(2)]),
        store.audit.append([entry(3)]),
      ]);
      expect(indexes).toEqual([0, 2, 3]);
      expect((await store.audit.entries(1, 9)).map(String)).toEqual(['entry 1', 'entry 2', 'entry 3']);
      expect(await store.audit.entries(4, 9)).toEqual([]);
    });

    it('is the tree of its entries, whose every leaf can be proven from tiles', async () => {
      await using store = await open();
      const size = 600;
      const tree = new TreeEdge(sha256);
      for (let at = 0; at < size; at += 1) tree.append(leafHash(sha256, entry(at)));
      for (let at = 0; at < size; at += 7)
        await store.audit.append(Array.from({ length: Math.min(7, size - at) }, (_, more) => entry(at + more)));
      const edge = await store.audit.edge();
      expect(edge.size).toBe(size);
      expect(Buffer.from(new TreeEdge(sha256, edge.size, edge.hashes).root())).toEqual(Buffer.from(tree.root()));

      const widths = [
        [0, 0, 256],
        [0, 2, 88],
        [1, 0, 2],
        [0, 3, 0],
        [2, 0, 0],
      ] as const;
      const tiles = new Map<string, readonly Uint8Array[]>();
      for (const [level, index, width] of widths) {
        tiles.set(`${level}/${index}`, await store.audit.tile(level, index));
        expect(tiles.get(`${level}/${index}`)).toHaveLength(width);
      }
      tiles.set('0/1', await store.audit.tile(0, 1));
      const read = subtreesOfTiles(sha256, (level, index) => tiles.get(`${level}/${index}`) ?? []);
      for (const index of [0, 255, 256, 599]) {
        const leaf = { index, hash: leafHash(sha256, entry(index)) };
        const proof = inclusionProof(sha256, read, index, size);
        expect(verifyInclusion(sha256, { size, root: tree.root() }, leaf, proof)).toBe(true);
      }
    });

    it('keeps its newest checkpoint, and never goes back to an older one', async () => {
      await using store = await open();
      expect(await store.audit.checkpoint()).toBeUndefined();
      await store.audit.append([entry(0), entry(1)]);
      await store.audit.saveCheckpoint('two', 2);
      await expect(store.audit.saveCheckpoint('one', 1)).rejects.toMatchObject({ code: 'failed-precondition' });
      await expect(store.audit.saveCheckpoint('three', 3)).rejects.toMatchObject({ code: 'failed-precondition' });
      expect(await store.audit.checkpoint()).toBe('two');
      await store.audit.saveCheckpoint('two again', 2);
      expect(await store.audit.checkpoint()).toBe('two again');
    });
  });
}
