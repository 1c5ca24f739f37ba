import { Code, GrpcError } from '@steeple/proto/grpc';
import { verifyJwtSvid } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { jwtResponse, type Wire } from '../testing/wire-state.ts';
import { until } from '../tls/fixture.ts';
import { a, api, b, client, useClientWorld } from './client-world.fixture.ts';

useClientWorld();

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

function jwtOf(spiffeId: string, svid: string): Wire<'fetchJWTSVID'> {
  return { svids: [{ spiffeId, svid }] };
}
