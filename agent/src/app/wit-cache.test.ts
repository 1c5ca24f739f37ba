import { createPublicKey } from 'node:crypto';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { parseHeldWitSvid, privateJwk, publicKeyFromSpki, signWitSvid } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, expect, it } from 'vitest';
import { entryOf } from '../testing/fixtures.ts';
import { WitCache } from './wit-cache.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });
const [a, b] = [entryOf(domain, 'a'), entryOf(domain, 'b')];
const { signal } = new AbortController();
let asked: string[][];
let refused: Set<string>;
let away: boolean;
let cache: WitCache;

beforeEach(() => {
  [asked, refused, away] = [[], new Set(), false];
  cache = new WitCache({
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    server: {
      newWitSvids: async (requests) => {
        asked.push(requests.map(({ entryId }) => entryId));
        if (away) throw GrpcError.of(Code.UNAVAILABLE, 'away');
        return Promise.all(
          requests.map(async ({ entryId, publicKey }) => {
            if (refused.has(entryId)) return { ok: false as const, code: Code.INTERNAL, message: 'no' };
            const [issuedAt, expiresAt] = [clock.now(), clock.now() + 100];
            const content = {
              id: domain.id(`/${entryId}`),
              publicKey: publicKeyFromSpki(publicKey),
              issuedAt,
              expiresAt,
            };
            return {
              ok: true as const,
              value: { token: await signWitSvid(domain.witSigner, content), issuedAt, expiresAt },
            };
          }),
        );
      },
    },
  });
});

it('makes a key for each token and keeps both until half of the life', async () => {
  const { wits, askAgainAt } = await cache.get([a, b], signal);
  const keys = wits.map(({ privateKey }) => createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
  expect(new Set(keys).size).toBe(2);
  for (const { token, privateKey } of wits) parseHeldWitSvid(token, JSON.stringify(privateJwk(privateKey)));
  expect(askAgainAt).toBe(clock.now() + 50);
  expect((await cache.get([b, a], signal)).wits).toEqual(wits.toReversed());
  expect(asked).toEqual([['a', 'b']]);
  await clock.advance(50);
  expect((await cache.get([a], signal)).wits[0]).not.toBe(wits[0]);
});

it('serves what is valid when the server is away, and fails when it is not', async () => {
  const { wits } = await cache.get([a], signal);
  await clock.advance(60);
  away = true;
  const held = await cache.get([a], signal);
  expect(held.wits).toEqual(wits);
  expect(held.askAgainAt).toBeGreaterThan(clock.now());
  await clock.advance(40);
  await expect(cache.get([a], signal)).rejects.toThrow('away');
});

it('gives all identities or none', async () => {
  refused.add('b');
  await expect(cache.get([a, b], signal)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
});

it('drops what belongs to changed entries, gone entries and keys no more trusted', async () => {
  const [first] = (await cache.get([a], signal)).wits;
  expect((await cache.get([entryOf(domain, 'a', { revision: 1 })], signal)).wits[0]).not.toBe(first);
  cache.retainKeys(new Set([domain.witSigner.kid]));
  cache.retainEntries(new Map([['a', a]]));
  await cache.get([entryOf(domain, 'a', { revision: 1 })], signal);
  expect(asked).toHaveLength(2);
  cache.retainKeys(new Set());
  await cache.get([a], signal);
  cache.retainEntries(new Map());
  await cache.get([a], signal);
  expect(asked).toHaveLength(4);
});
