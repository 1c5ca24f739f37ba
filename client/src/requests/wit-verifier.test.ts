import { randomUUID } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { type CoveredTokens, makeProofToken } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { authorizeAny } from '../tls/authorize.ts';
import { callerOf, requireIdentity } from './require-identity.ts';
import { witFetch } from './wit-fetch.ts';
import { type WitRequestPolicy, witRequestVerifier } from './wit-verifier.ts';
import { requestWorld } from './world.fixture.ts';

async function guarded(policy: Partial<WitRequestPolicy> = {}) {
  const world = await requestWorld();
  const refused: Error[] = [];
  let guard: ReturnType<typeof requireIdentity> | undefined;
  const origin = await world.serve((request, response) => {
    const { bundles } = world;
    guard ??= requireIdentity(witRequestVerifier({ bundles, origin, authorize: authorizeAny(), ...policy }), {
      onRefused: (error) => refused.push(error),
    });
    guard(request, response, () => response.end(callerOf(request).id.toString()));
  });
  const held = world.wits.witSvid();
  /** Header fields with a proof for any audience and life. */
  const present = (audience: string, covered: CoveredTokens = {}, lifetime = 60) => ({
    'workload-identity-token': held.token,
    'workload-proof-token': makeProofToken(held.token, held.privateKey, {
      audience,
      now: Date.now() / 1000,
      jti: randomUUID(),
      lifetime,
      covered,
    }),
  });
  const get = async (path: string, headers: Record<string, string>) =>
    (await world.fetch(`${origin}${path}`, { headers })).status;
  return { ...world, origin, refused, present, get, proven: witFetch(world.wits, { fetch: world.fetch }) };
}

describe('witFetch with requireIdentity', () => {
  it('sends a WIT-SVID and a new proof for each request, by which the server knows the caller', async () => {
    await using it = await guarded();
    for (const path of ['/', '/api?q=1', '//twice/a%20b', '/a/../b']) {
      const response = await it.proven(`${it.origin}${path}`);
      expect([response.status, await response.text()]).toEqual([200, 'spiffe://a.test/client']);
    }
  });

  it('covers the other tokens of the request', async () => {
    await using it = await guarded({ otherTokens: ['X-User-Token'] });
    const proven = witFetch(it.wits, { fetch: it.fetch, otherTokens: ['x-user-token'] });
    const headers = { authorization: 'Bearer access', 'txn-token': 'transaction', 'x-user-token': 'user' };
    expect((await proven(it.origin, { headers })).status).toBe(200);
    expect((await it.proven(it.origin, { headers })).status).toBe(400);
  });

  it('sends nothing over http', async () => {
    await using it = await guarded();
    await expect(it.proven('http://localhost/')).rejects.toThrow('https');
  });
});

describe('a request is refused 400', () => {
  it('with the WIT-SVID alone, as a bearer, with the proof alone, or without anything (WIT-29, WIT-30)', async () => {
    await using it = await guarded();
    const { 'workload-identity-token': wit, 'workload-proof-token': proof } = it.present(`${it.origin}/`);
    const alone = [{ 'workload-identity-token': wit }, { 'workload-proof-token': proof }, {}];
    for (const headers of [...alone, { authorization: `Bearer ${wit}` }]) expect(await it.get('/', headers)).toBe(400);
    expect(it.refused.map((error) => (error as { code?: string }).code)).toEqual(Array(4).fill('no-credential'));
  });

  it('with a proof for another path or server, or one that lives too long', async () => {
    await using it = await guarded({ maxProofLifetime: 100 });
    expect(await it.get('/api', it.present(`${it.origin}/other`))).toBe(400);
    expect(await it.get('/api', it.present('https://other.test/api'))).toBe(400);
    expect(await it.get('/api', it.present(`${it.origin}/api`, {}, 290))).toBe(400);
    expect(await it.get('/api', it.present(`${it.origin}/api`))).toBe(200);
  });

  it('with a proof that was used before (WIT-39)', async () => {
    await using it = await guarded();
    const headers = it.present(`${it.origin}/`);
    expect([await it.get('/', headers), await it.get('/', headers)]).toEqual([200, 400]);
  });

  it('with another token that the proof does not cover, or without one that it does', async () => {
    await using it = await guarded();
    const bare = it.present(`${it.origin}/`);
    expect(await it.get('/', { ...bare, authorization: 'Bearer stolen' })).toBe(400);
    expect(await it.get('/', it.present(`${it.origin}/`, { accessToken: 'absent' }))).toBe(400);
  });

  it('with a field twice, or a target that is a whole URL', async () => {
    await using it = await guarded();
    const send = (path: string, headers: string[]) =>
      new Promise((resolve, reject) => {
        const options = { rejectUnauthorized: false, path, headers: ['host', 'localhost', ...headers] };
        const call = httpsRequest(it.origin, options as never, ({ statusCode }) => resolve(statusCode));
        call.on('error', reject).end();
      });
    const { 'workload-identity-token': wit, 'workload-proof-token': proof } = it.present(`${it.origin}/`);
    const fields = ['workload-identity-token', wit, 'workload-proof-token', proof];
    expect(await send('/', [...fields, 'Workload-Proof-Token', proof])).toBe(400);
    expect(await send('/', [...fields, 'Workload-Identity-Token', wit])).toBe(400);
    expect(await send(`${it.origin}/`, fields)).toBe(400);
    expect(await send('/', fields)).toBe(200);
  });
});

it('takes its origin from the configuration only, and that must be one', async () => {
  await using it = await guarded({ origin: 'https://elsewhere.test' });
  expect((await it.proven(it.origin)).status).toBe(400);
  for (const origin of ['http://a.test', 'https://a.test/path', 'a.test', '']) {
    expect(() => witRequestVerifier({ bundles: it.bundles, origin, authorize: authorizeAny() })).toThrow(TypeError);
  }
});

it('judges requests of the Fetch standard too', async () => {
  await using it = await requestWorld();
  const verify = witRequestVerifier({ bundles: it.bundles, origin: 'https://y.test', authorize: authorizeAny() });
  const url = new URL('https://y.test/api?q=1');
  const caller = await verify(new Request(url, { headers: it.wits.headers(url) }));
  expect(caller.id.toString()).toBe('spiffe://a.test/client');
  await expect(verify(new Request(url))).rejects.toMatchObject({ status: 400 });
});
