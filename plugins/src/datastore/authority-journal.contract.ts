import type { AuthoritySlot, AuthoritySlots } from '@steeple/core';
import { describe, expect, it } from 'vitest';
import { aBundle, HOME } from './contract-samples.ts';
import type { Datastore } from './datastore.ts';

const A: AuthoritySlot = {
  slot: 'A',
  status: 'active',
  authorityId: 'aa',
  issuedAt: 1.5,
  notAfter: 2,
  keyId: 'x509-CA-A',
  publicKeySpki: Uint8Array.of(1, 0, 255),
  certificateDer: Uint8Array.of(),
  upstreamChainDer: Uint8Array.of(2),
  upstreamAuthorityId: 'up',
  tainted: true,
};
const B: AuthoritySlot = {
  slot: 'B',
  status: 'prepared',
  authorityId: 'bb',
  issuedAt: 3,
  notAfter: 4,
  keyId: 'JWT-Signer-B',
  publicKeySpki: Uint8Array.of(9),
  tainted: false,
};
const SLOTS: AuthoritySlots = { x509: [A, { ...B, status: 'old' }], jwt: [B], wit: [] };

/** Buffer and Uint8Array are the same bytes to us. */
const plain = (slots: AuthoritySlots) =>
  Object.entries(slots).map(([kind, list]) => [
    kind,
    list.map((slot) =>
      Object.entries(slot).map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value]),
    ),
  ]);

export function authorityJournalContract(open: () => Promise<Datastore>): void {
  describe('the authority journal', () => {
    it('is empty at first, then holds what was saved last', async () => {
      await using store = await open();
      expect(await store.authorities.load()).toEqual({ x509: [], jwt: [], wit: [] });
      await store.authorities.save(SLOTS);
      expect(plain(await store.authorities.load())).toEqual(plain(SLOTS));
      const next: AuthoritySlots = { x509: [], jwt: [{ ...B, status: 'active' }], wit: [A] };
      await store.authorities.save(next);
      expect(plain(await store.authorities.load())).toEqual(plain(next));
    });

    it('is saved together with the bundle or not at all', async () => {
      await using store = await open();
      await store.authorities.save(SLOTS, aBundle('example.org', 5n), 'absent');
      expect((await store.bundles.get(HOME))?.sequence).toBe(5n);
      const other: AuthoritySlots = { x509: [], jwt: [], wit: [] };
      const stale = store.authorities.save(other, aBundle('example.org', 9n), 4n);
      await expect(stale).rejects.toMatchObject({ code: 'failed-precondition' });
      expect(plain(await store.authorities.load())).toEqual(plain(SLOTS));
      expect((await store.bundles.get(HOME))?.sequence).toBe(5n);
    });

    it('holds one authority per slot', async () => {
      await using store = await open();
      await store.authorities.save(SLOTS);
      const twice = store.authorities.save({ ...SLOTS, jwt: [B, B] });
      await expect(twice).rejects.toMatchObject({ code: 'internal' });
      expect(plain(await store.authorities.load())).toEqual(plain(SLOTS));
    });
  });
}
