import { Code, GrpcError } from '@steeple/proto/grpc';
import { verifyJwtSvid } from '@steeple/spiffe';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { jwtResponse, type Wire, x509Response } from '../testing/wire-state.ts';
import { until } from '../tls/fixture.ts';
import type { X509Context } from './read-x509-context.ts';
import type { WatchEvent } from './watch.ts';
import { WorkloadApiClient } from './workload-api-client.ts';

let a: TestTrustDomain;
let b: TestTrustDomain;
let api: FakeWorkloadApi;
let client: WorkloadApiClient;

beforeAll(async () => {
  [a, b] = await Promise.all([TestTrustDomain.create('a.test'), TestTrustDomain.create('b.test')]);
});

beforeEach(async () => {
  api = await FakeWorkloadApi.start();
  client = new WorkloadApiClient({ address: api.address });
});

afterEach(async () => {
  await client.close();
  await api.close();
});

const unused = { timeout: 10 };

describe('requests', () => {
  it('carry the security header, on every method (WEP-06)', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle], wits: [await a.witSvid('/w')] });
    const token = await a.jwtSvid('/w', ['x']);
    api.answerJwt = async () => jwtResponse([token]);
    api.answerValidate = async () => ({ spiffeId: 'spiffe://a.test/w', claims: { sub: 'spiffe://a.test/w' } });
    await client.fetchX509Context(unused);
    await client.fetchX509Bundles(unused);
    await client.fetchJwtSvids({ audience: ['x'] }, unused);
    await client.fetchJwtBundles(unused);
    await client.validateJwtSvid(token.token, 'x', unused);
    await client.fetchWitSvids(undefined, unused);
    await client.fetchWitBundles(unused);
    expect(api.calls).toHaveLength(7);
    expect(new Set(api.calls.map(({ method }) => method)).size).toBe(7);
    for (const { metadata } of api.calls) expect(metadata['workload.spiffe.io']).toEqual(['true']);
  });

  it('carry it again when the stream is opened again', async () => {
    const controller = new AbortController();
    api.failAll(Code.UNAVAILABLE, 'not ready');
    const drained = drain(client.watchX509Context(controller.signal));
    await until(() => api.countOf('FetchX509SVID') >= 3);
    controller.abort();
    await drained;
    for (const { metadata } of api.calls) expect(metadata['workload.spiffe.io']).toEqual(['true']);
  });

  it('end with the agent’s status', async () => {
    api.withdraw();
    await expect(client.fetchX509Context(unused)).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    await expect(client.fetchJwtSvids({ audience: ['x'] })).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
  });

  it('end after their timeout, at their signal and with the client', async () => {
    await expect(client.fetchX509Context({ timeout: 0.05 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(client.fetchX509Context({ signal })).rejects.toThrow('enough');
    const open = client.fetchX509Context();
    await until(() => api.x509.followers > 0);
    await client.close();
    await expect(open).rejects.toMatchObject({ code: 'closed' });
    await expect(client.fetchX509Context()).rejects.toMatchObject({ code: 'closed' });
  });

  it('fail at an agent that is not there', async () => {
    await api.crash();
    await expect(client.fetchX509Context(unused)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });
});

describe('X.509', () => {
  it('gives all SVIDs and bundles, the first one being the default', async () => {
    const svids = [await a.x509Svid('/one', { hint: 'internal' }), await b.x509Svid('/two')];
    api.issue({ svids, bundles: [a.bundle, b.bundle] });
    const context = await client.fetchX509Context(unused);
    expect(context.svids.map(({ id }) => id.toString())).toEqual(['spiffe://a.test/one', 'spiffe://b.test/two']);
    expect(context.svids[0]?.hint).toBe('internal');
    expect(context.bundles.get(a.trustDomain)?.x509Authorities).toHaveLength(1);
    // WAPI-18: they vouch for X509-SVIDs only.
    expect(context.bundles.get(a.trustDomain)?.jwtAuthorities).toEqual([]);
  });

  it('keeps the first of repeated hints, and all without one (WAPI-25)', async () => {
    const hints = { A: 'foo', B: 'bar', C: 'foo', D: '', E: '' };
    const svids = await Promise.all(Object.entries(hints).map(([name, hint]) => a.x509Svid(`/${name}`, { hint })));
    api.issue({ svids, bundles: [a.bundle] });
    const context = await client.fetchX509Context(unused);
    expect(context.svids.map(({ id }) => id.path)).toEqual(['/A', '/B', '/D', '/E']);
  });

  it('forgets a federated bundle that a later message leaves out (WAPI-12 to WAPI-14)', async () => {
    const svid = await a.x509Svid('/w');
    api.issue({ svids: [svid], bundles: [a.bundle, b.bundle] });
    const updates = client.watchX509Context()[Symbol.asyncIterator]();
    expect(bundlesOf(await updates.next())).toEqual(['b.test', 'a.test']);
    api.issue({ svids: [svid], bundles: [a.bundle] });
    expect(bundlesOf(await updates.next())).toEqual(['a.test']);
    await updates.return?.();
  });

  type X509 = Wire<'fetchX509SVID'>;
  type Svid = NonNullable<X509['svids']>[number];
  const broken: [string, (good: Svid, message: X509) => X509][] = [
    ['no SVID', () => ({ svids: [] })],
    ['no SPIFFE ID', (good) => ({ svids: [{ ...good, spiffeId: '' }] })],
    ['no certificate', (good) => ({ svids: [{ ...good, x509Svid: new Uint8Array() }] })],
    ['no key', (good) => ({ svids: [{ ...good, x509SvidKey: new Uint8Array() }] })],
    ['no bundle', (good) => ({ svids: [{ ...good, bundle: new Uint8Array() }] })],
    ['one good SVID and one without key', (good) => ({ svids: [good, { ...good, x509SvidKey: new Uint8Array() }] })],
    ['another SPIFFE ID than the certificate', (good) => ({ svids: [{ ...good, spiffeId: 'spiffe://a.test/other' }] })],
    ['a SPIFFE ID that is none', (good) => ({ svids: [{ ...good, spiffeId: 'spiffe://a.test/w/' }] })],
    ['a certificate in PEM', (good) => ({ svids: [{ ...good, x509Svid: text('-----BEGIN CERTIFICATE-----') }] })],
    ['bytes after the certificate', (good) => ({ svids: [{ ...good, x509Svid: joined(good.x509Svid, text('\0')) }] })],
    ['a key of another certificate', (good, message) => ({ svids: [{ ...good, x509SvidKey: otherKey(message) }] })],
    ['a bundle that is no certificate', (good) => ({ svids: [{ ...good, bundle: text('root') }] })],
    ['a bare name as bundle key', (good) => federated(good, 'b.test')],
    ['a path in a bundle key', (good) => federated(good, 'spiffe://b.test/x')],
    ['an upper-case bundle key', (good) => federated(good, 'spiffe://B.test')],
    [
      'an empty federated bundle',
      (good) => ({ svids: [good], federatedBundles: { 'spiffe://b.test': new Uint8Array() } }),
    ],
  ];

  let others: X509;
  const otherKey = (_message: X509) => others.svids?.[0]?.x509SvidKey ?? new Uint8Array();

  it.each(broken)('drops a message with %s, as a whole, and goes on (WAPI-16, H1, H4)', async (_name, spoil) => {
    others = x509Response([await a.x509Svid('/w')], [a.bundle]);
    const good = x509Response([await a.x509Svid('/w')], [a.bundle]);
    const updates = client.watchX509Context()[Symbol.asyncIterator]();
    const [svid] = good.svids ?? [];
    if (svid === undefined) throw new Error('no SVID to spoil');
    api.x509.publish(spoil(svid, good));
    expect((await updates.next()).value).toMatchObject({ kind: 'error', error: { code: 'invalid-response' } });
    api.x509.publish(good);
    expect((await updates.next()).value).toMatchObject({ kind: 'update' });
    expect(api.countOf('FetchX509SVID')).toBe(1);
    await updates.return?.();
  });

  it('drops a message with an expired SVID', async () => {
    api.issue({ svids: [await a.x509Svid('/w', { ttl: -60 })], bundles: [a.bundle] });
    await expect(client.fetchX509Context(unused)).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

describe('JWT', () => {
  it('gives tokens with their hints, for the audience and identity asked for', async () => {
    const asked: unknown[] = [];
    const token = await a.jwtSvid('/w', ['x', 'y'], { hint: 'internal' });
    api.answerJwt = async (audience, id) => {
      asked.push([...audience, id]);
      return jwtResponse([token]);
    };
    const [svid] = await client.fetchJwtSvids({ audience: ['x', 'y'], id: a.id('/w') });
    expect(asked).toEqual([['x', 'y', 'spiffe://a.test/w']]);
    expect([svid?.token, svid?.hint, svid?.id.toString()]).toEqual([token.token, 'internal', 'spiffe://a.test/w']);
  });

  it('keeps the first of repeated hints (WAPI-38)', async () => {
    const tokens = await Promise.all(['/A', '/B', '/C'].map((path) => a.jwtSvid(path, ['x'], { hint: 'same' })));
    api.answerJwt = async () => jwtResponse(tokens);
    expect((await client.fetchJwtSvids({ audience: ['x'] })).map(({ id }) => id.path)).toEqual(['/A']);
  });

  it('gives bundles that verify tokens of their own trust domain', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle, b.bundle] });
    const bundles = await client.fetchJwtBundles(unused);
    const { token } = await b.jwtSvid('/w', ['x']);
    expect(verifyJwtSvid(token, bundles, ['x'], { now: Date.now() / 1000 }).id.toString()).toBe('spiffe://b.test/w');
    expect(bundles.get(a.trustDomain)?.x509Authorities).toEqual([]);
  });

  it.each<[string, () => Promise<Wire<'fetchJWTSVID'>>]>([
    ['no token', async () => ({ svids: [] })],
    ['an empty token', async () => ({ svids: [{ spiffeId: 'spiffe://a.test/w', svid: '' }] })],
    ['another SPIFFE ID', async () => jwtOf('spiffe://a.test/other', (await a.jwtSvid('/w', ['x'])).token)],
    ['no SPIFFE ID', async () => jwtOf('', (await a.jwtSvid('/w', ['x'])).token)],
    ['another audience', async () => jwtOf('spiffe://a.test/w', (await a.jwtSvid('/w', ['y'])).token)],
    ['an expired token', async () => jwtOf('spiffe://a.test/w', (await a.jwtSvid('/w', ['x'], { ttl: -600 })).token)],
    ['no JWT', async () => jwtOf('spiffe://a.test/w', 'token')],
  ])('refuses an answer with %s', async (_name, answer) => {
    api.answerJwt = answer;
    await expect(client.fetchJwtSvids({ audience: ['x'] })).rejects.toMatchObject({ code: 'invalid-response' });
  });

  it('lets the agent validate', async () => {
    const claims = { sub: 'spiffe://b.test/w', aud: ['x'], exp: 2e9 };
    api.answerValidate = async (token, audience) => {
      if (token !== 'good' || audience !== 'x') throw new GrpcError(Code.INVALID_ARGUMENT, 'no');
      return { spiffeId: 'spiffe://b.test/w', claims };
    };
    expect(await client.validateJwtSvid('good', 'x')).toMatchObject({ claims });
    await expect(client.validateJwtSvid('bad', 'x')).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  it.each<[string, Wire<'validateJWTSVID'>]>([
    ['no SPIFFE ID', { claims: { sub: 'spiffe://a.test/w' } }],
    ['no claims', { spiffeId: 'spiffe://a.test/w' }],
    ['empty claims', { spiffeId: 'spiffe://a.test/w', claims: {} }],
    ['another subject', { spiffeId: 'spiffe://a.test/w', claims: { sub: 'spiffe://a.test/v' } }],
  ])('believes no validation with %s', async (_name, answer) => {
    api.answerValidate = async () => answer;
    await expect(client.validateJwtSvid('t', 'x')).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

describe('WIT', () => {
  it('gives tokens with the keys they are bound to', async () => {
    const held = await a.witSvid('/w', { hint: 'h' });
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle], wits: [held] });
    const [svid] = await client.fetchWitSvids(undefined, unused);
    expect([svid?.token, svid?.hint]).toEqual([held.token, 'h']);
    expect(svid?.privateKey.equals(held.privateKey)).toBe(true);
    const bundles = await client.fetchWitBundles(unused);
    expect(bundles.get(a.trustDomain)?.witAuthorities).toHaveLength(1);
    expect(bundles.get(a.trustDomain)?.jwtAuthorities).toEqual([]);
  });

  it('refuses a key that is not the token’s', async () => {
    const [one, two] = [await a.witSvid('/w'), await a.witSvid('/w')];
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle], wits: [{ ...one, privateKey: two.privateKey }] });
    await expect(client.fetchWitSvids(undefined, unused)).rejects.toMatchObject({ code: 'invalid-response' });
  });

  it('gives up for good where the profile is not supported (WAPI-52)', async () => {
    api.wit.fail(new GrpcError(Code.UNIMPLEMENTED, 'no WIT here'));
    await expect(drain(client.watchWitSvids())).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
    expect(api.countOf('FetchWITSVID')).toBe(1);
  });
});

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  const iterator = events[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
}

function bundlesOf({ value }: IteratorResult<WatchEvent<X509Context>, unknown>) {
  const event = value as WatchEvent<X509Context>;
  return event.kind === 'update' ? event.value.bundles.list().map(({ trustDomain }) => trustDomain.name) : event;
}

function federated(good: NonNullable<Wire<'fetchX509SVID'>['svids']>[number], key: string): Wire<'fetchX509SVID'> {
  return { svids: [good], federatedBundles: { [key]: good.bundle ?? new Uint8Array() } };
}

function jwtOf(spiffeId: string, svid: string): Wire<'fetchJWTSVID'> {
  return { svids: [{ spiffeId, svid }] };
}

function text(content: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(content));
}

function joined(...parts: (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts.filter((part) => part !== undefined)));
}
