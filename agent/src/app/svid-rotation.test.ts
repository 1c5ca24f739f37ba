import { randomBytes } from 'node:crypto';
import { parseSelector } from '@steeple/core';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { type Certificate, readCsr } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, TestTrustDomain } from '@steeple/test-kit';
import { beforeEach, expect, it } from 'vitest';
import { entryOf, turn } from '../testing/fixtures.ts';
import { IdentityCache } from './identity-cache.ts';
import type { ItemResult, X509Request } from './server-api.ts';
import { SvidRotation } from './svid-rotation.ts';

const ME = [parseSelector('unix:uid:1')];
const domain = await TestTrustDomain.create('a.test', { now: () => new FakeClock().now() });
let clock: FakeClock;
let cache: IdentityCache;
let batches: (readonly X509Request[])[];
let server: (requests: readonly X509Request[]) => Promise<readonly ItemResult<readonly Certificate[]>[]>;
let faults: unknown[];
let stale: number;
let abort: AbortController;
let rotation: SvidRotation;
let ttl: number;

const issue = async ({ entryId, csr }: X509Request): Promise<ItemResult<readonly Certificate[]>> => {
  const now = clock.now();
  const { spki } = readCsr(csr);
  const id = domain.id(`/${entryId}`);
  const leaf = await domain.issuer.issueLeaf({
    id,
    spki,
    notBefore: now - 10,
    notAfter: now + ttl,
    serial: randomBytes(16),
  });
  return { ok: true, value: [leaf] };
};
const away = async () => {
  throw GrpcError.of(Code.UNAVAILABLE, 'away');
};

beforeEach(() => {
  clock = new FakeClock();
  cache = new IdentityCache(domain.trustDomain, clock.now);
  cache.apply({ bundles: [domain.bundle] });
  cache.markSynced();
  [batches, faults, stale, ttl] = [[], [], 0, 3600];
  server = (requests) => Promise.all(requests.map(issue));
  abort = new AbortController();
  rotation = new SvidRotation({
    cache,
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    keyType: 'ec-p256',
    onServerError: async (error) => void faults.push(error),
    onStaleEntries: () => stale++,
    server: {
      newX509Svids: async (requests) => {
        batches.push(requests);
        return server(requests);
      },
    },
  });
  void rotation.run(abort.signal);
  return () => abort.abort();
});

const serial = () => cache.view(ME).identities[0]?.svid.leaf.serialHex;
const supplied = async (count = 1) => {
  while (cache.svidCount < count) await turn();
};
const batched = async (count: number) => {
  while (batches.length < count) await turn();
  await turn();
};

it('asks at once for a new entry, and again at half of its life with another key', async () => {
  cache.apply({ entries: [entryOf(domain, 'a')] });
  await supplied();
  const [first, key] = [serial(), cache.view(ME).identities[0]?.svid.leaf.spki];
  expect(first).toBeDefined();
  await clock.advance(1790);
  expect(batches).toHaveLength(1);
  await clock.advance(20);
  await batched(2);
  while (serial() === first) await turn();
  expect(Buffer.compare(cache.view(ME).identities[0]?.svid.leaf.spki ?? Buffer.of(), key ?? Buffer.of())).not.toBe(0);
});

it('does not renew a short SVID the moment it comes, though it is backdated', async () => {
  ttl = 4;
  cache.apply({ entries: [entryOf(domain, 'a')] });
  await supplied();
  await clock.settled();
  await turn();
  expect(batches).toHaveLength(1);
  expect(clock.untilNext).toBeCloseTo(2, 0);
});

it('keeps the SVID when the server is away, takes it out when it expires, and gets one when the server is back', async () => {
  cache.apply({ entries: [entryOf(domain, 'a')] });
  await supplied();
  server = away;
  await clock.advance(1900);
  await batched(2);
  expect(serial()).toBeDefined();
  expect(faults.length).toBeGreaterThan(0);
  await clock.advance(1700);
  await turn();
  expect(cache.svidCount).toBe(0);
  expect(cache.view(ME)).toMatchObject({ settled: true, identities: [] });
  server = (requests) => Promise.all(requests.map(issue));
  await clock.advance(60);
  await supplied();
});

it('does not wait for its next try when the server is seen to answer', async () => {
  server = away;
  cache.apply({ entries: [entryOf(domain, 'a')] });
  await batched(1);
  server = (requests) => Promise.all(requests.map(issue));
  rotation.serverAnswered();
  await supplied();
  expect(batches).toHaveLength(2);
});

it('does not hold against an entry that the server was away', async () => {
  server = away;
  cache.apply({ entries: [entryOf(domain, 'a')] });
  for (let failed = 1; failed <= 8; failed++) {
    await batched(failed);
    await clock.advance(35);
  }
  server = async (requests) => {
    server = (requests) => Promise.all(requests.map(issue));
    return requests.map(() => ({ ok: false, code: Code.INTERNAL, message: 'not now' }));
  };
  const tries = batches.length;
  await clock.advance(35);
  await batched(tries + 1);
  await clock.advance(2);
  for (let turns = 0; turns < 50; turns++) await turn();
  expect(cache.svidCount).toBe(1);
});

it('asks for at most 500 at once, for fewer after a failure, and for all in the end', async () => {
  server = away;
  cache.apply({ entries: Array.from({ length: 700 }, (_, index) => entryOf(domain, `e${index}`)) });
  await batched(1);
  expect(batches[0]).toHaveLength(500);
  server = (requests) => Promise.all(requests.map(issue));
  await clock.advance(5);
  await batched(2);
  expect(batches[1]).toHaveLength(250);
  while (cache.svidCount < 700) {
    await clock.advance(5);
    await turn();
  }
});

it('settles one item’s failure without holding up the others, and reports entries unknown to the server', async () => {
  server = (requests) =>
    Promise.all(
      requests.map((request) =>
        request.entryId === 'bad'
          ? Promise.resolve({ ok: false as const, code: Code.NOT_FOUND, message: 'not authorized' })
          : issue(request),
      ),
    );
  cache.apply({ entries: [entryOf(domain, 'bad'), entryOf(domain, 'good')] });
  await supplied();
  expect(cache.view(ME)).toMatchObject({ settled: true, identities: [{ entry: { id: 'good' } }] });
  expect(stale).toBe(1);
});

it('does not take what was issued for another ID, with another key, or expired', async () => {
  const wrong: ((request: X509Request) => Promise<ItemResult<readonly Certificate[]>>)[] = [
    (request) => issue({ ...request, entryId: 'admin' }),
    async () => ({ ok: true, value: (await domain.x509Svid('/a')).chain }),
    async (request) => {
      ttl = -5;
      return issue(request);
    },
    async () => ({ ok: true, value: [] }),
  ];
  for (const [index, answer] of wrong.entries()) {
    server = (requests) => Promise.all(requests.map(answer));
    cache.apply({ entries: [entryOf(domain, 'a', { revision: index })] });
    await clock.advance(300);
    await batched(index + 1);
    expect(cache.svidCount).toBe(0);
  }
});

it('treats an answer of another length as no answer', async () => {
  server = async () => [];
  cache.apply({ entries: [entryOf(domain, 'a')] });
  await batched(1);
  expect(cache.svidCount).toBe(0);
  expect(faults).toHaveLength(1);
});
