import { Code, GrpcError } from '@steeple/proto/grpc';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, expect, it } from 'vitest';
import { entryOf, turn } from '../testing/fixtures.ts';
import { JwtCache } from './jwt-cache.ts';

const clock = new FakeClock();
const domain = await TestTrustDomain.create('a.test', { now: clock.now });
const entry = entryOf(domain, 'a');
const { signal } = new AbortController();
let asked: string[];
let answer: () => Promise<unknown>;
let cache: JwtCache;

beforeEach(() => {
  asked = [];
  answer = async () => {};
  cache = new JwtCache({
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    maxSize: 3,
    hitTimeout: 10,
    server: {
      newJwtSvid: async (entryId, audience) => {
        asked.push(`${entryId} ${audience.join()}`);
        await answer();
        const { token, expiresAt, issuedAt = 0 } = await domain.jwtSvid(`/${entryId}`, audience, { ttl: 300 });
        return { token, expiresAt, issuedAt };
      },
    },
  });
});

const away = async () => {
  throw GrpcError.of(Code.UNAVAILABLE, 'away');
};

it('asks once for a set of audiences in any order, and apart for another set', async () => {
  const first = await cache.get(entry, ['x', 'y'], signal);
  expect(await cache.get(entry, ['y', 'x'], signal)).toBe(first);
  await cache.get(entry, ['x'], signal);
  await cache.get(entry, ['x,y'], signal);
  expect(asked).toHaveLength(3);
});

it('asks once for many callers at the same time (J1), and the first to leave does not spoil it for the others', async () => {
  const release = Promise.withResolvers<void>();
  answer = () => release.promise;
  const leaving = new AbortController();
  const left = cache.get(entry, ['x'], leaving.signal);
  const staying = [cache.get(entry, ['x'], signal), cache.get(entry, ['x'], signal)];
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  release.resolve();
  const [one, two] = await Promise.all(staying);
  expect(one).toBe(two);
  expect(asked).toHaveLength(1);
});

it('renews from half of the life on', async () => {
  const first = await cache.get(entry, ['x'], signal);
  await clock.advance(149);
  expect(await cache.get(entry, ['x'], signal)).toBe(first);
  await clock.advance(2);
  expect(await cache.get(entry, ['x'], signal)).not.toBe(first);
});

it('serves a valid token when the server is away or slow, and none that has expired (J2)', async () => {
  const first = await cache.get(entry, ['x'], signal);
  await clock.advance(200);
  answer = away;
  expect(await cache.get(entry, ['x'], signal)).toBe(first);
  answer = () => new Promise(() => {});
  const waiting = cache.get(entry, ['x'], signal);
  await clock.settled();
  await clock.advance(10);
  expect(await waiting).toBe(first);
  await clock.advance(90);
  answer = away;
  const stuck = cache.get(entry, ['x'], AbortSignal.abort(new Error('no token')));
  await expect(stuck).rejects.toThrow('no token');
});

it('fails when there is none and the server is away', async () => {
  answer = away;
  await expect(cache.get(entry, ['x'], signal)).rejects.toThrow('away');
  answer = async () => {};
  expect((await cache.get(entry, ['x'], signal)).audience).toEqual(['x']);
});

it('drops tokens of changed or removed entries, and of keys no more trusted (J3)', async () => {
  const first = await cache.get(entry, ['x'], signal);
  const changed = entryOf(domain, 'a', { revision: 1 });
  expect(await cache.get(changed, ['x'], signal)).not.toBe(first);
  cache.retainEntries(new Map());
  expect(cache.size).toBe(0);
  await cache.get(entry, ['x'], signal);
  cache.retainKeys(new Set([domain.jwtSigner.kid]));
  expect(cache.size).toBe(1);
  cache.retainKeys(new Set(['another']));
  expect(cache.size).toBe(0);
});

it('does not keep a token that was on its way when its key was dropped (J3)', async () => {
  cache.retainKeys(new Set([domain.jwtSigner.kid]));
  const coming = cache.get(entry, ['x'], signal);
  cache.retainKeys(new Set(['another']));
  await coming;
  expect(cache.size).toBe(0);
});

it('keeps no token that is meant to be unique (J4)', async () => {
  const unique = entryOf(domain, 'a', { jwtSvidIncludeJti: true });
  await cache.get(unique, ['x'], signal);
  await cache.get(unique, ['x'], signal);
  expect([asked.length, cache.size]).toEqual([2, 0]);
});

it('forgets the token unused for longest when it is full', async () => {
  for (const audience of ['1', '2', '3', '1', '4']) await cache.get(entry, [audience], signal);
  expect(cache.size).toBe(3);
  asked = [];
  await cache.get(entry, ['1'], signal);
  expect(asked).toEqual([]);
  await cache.get(entry, ['2'], signal);
  expect(asked).toEqual(['a 2']);
});

it('refuses a token of somebody else', async () => {
  const wrong = new JwtCache({
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    maxSize: 3,
    hitTimeout: 10,
    server: {
      newJwtSvid: async (_id, audience) => {
        const { token, expiresAt } = await domain.jwtSvid('/admin', audience);
        return { token, expiresAt, issuedAt: clock.now() };
      },
    },
  });
  await expect(wrong.get(entry, ['x'], signal)).rejects.toThrow('/admin');
  await turn();
  expect(wrong.size).toBe(0);
});
