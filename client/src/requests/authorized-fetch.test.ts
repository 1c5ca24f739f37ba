import { SpiffeId } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { authorizeAny, authorizeId } from '../tls/authorize.ts';
import { authorizedFetch } from './authorized-fetch.ts';
import { jwtRequestVerifier } from './jwt-verifiers.ts';
import { callerOf, requireIdentity } from './require-identity.ts';
import { requestWorld } from './world.fixture.ts';

const AUDIENCE = 'spiffe://a.test/web';

async function guarded(authorize = authorizeAny()) {
  const world = await requestWorld();
  const refused: Error[] = [];
  const verify = jwtRequestVerifier({ source: world.jwts, audience: AUDIENCE, authorize });
  const guard = requireIdentity(verify, { onRefused: (error) => refused.push(error) });
  const origin = await world.serve((request, response) =>
    guard(request, response, () => {
      if (request.url === '/moved') response.writeHead(302, { location: 'http://localhost/' }).end();
      else response.end(callerOf(request).id.toString());
    }),
  );
  const get = (headers: Record<string, string>) => world.fetch(origin, { headers });
  const { fetch, jwts } = world;
  return { ...world, origin, refused, get, authorized: authorizedFetch(jwts, { audience: AUDIENCE, fetch }) };
}

describe('authorizedFetch with requireIdentity', () => {
  it('sends a JWT-SVID for the audience, by which the server knows the caller', async () => {
    await using it = await guarded();
    const response = await it.authorized(`${it.origin}/x?q=1`, { headers: { 'x-other': '1' } });
    expect([response.status, await response.text()]).toEqual([200, 'spiffe://a.test/client']);
    expect(it.refused).toEqual([]);
  });

  it('may name the audience by the target', async () => {
    await using it = await guarded();
    const audience = ({ hostname }: URL) => (hostname === 'localhost' ? AUDIENCE : 'other');
    const fetch = authorizedFetch(it.jwts, { audience, fetch: it.fetch });
    expect((await fetch(it.origin)).status).toBe(200);
  });

  it('hands redirects back, and sends no token to where they lead', async () => {
    await using it = await guarded();
    const response = await it.authorized(`${it.origin}/moved`);
    expect([response.status, response.headers.get('location')]).toEqual([302, 'http://localhost/']);
  });

  it('sends nothing over http unless told to, and nothing but http then', async () => {
    await using it = await guarded();
    const sent: unknown[] = [];
    const fetch = async (_url: string | URL, init?: RequestInit) => {
      sent.push(new Headers(init?.headers).get('authorization')?.slice(0, 7));
      return new Response();
    };
    await expect(authorizedFetch(it.jwts, { audience: AUDIENCE, fetch })('http://localhost/')).rejects.toThrow('https');
    expect([sent, it.api.countOf('FetchJWTSVID')]).toEqual([[], 0]);
    const plain = authorizedFetch(it.jwts, { audience: AUDIENCE, fetch, allowPlaintext: true });
    await plain('http://localhost/');
    await expect(plain('ftp://localhost/')).rejects.toThrow(TypeError);
    expect(sent).toEqual(['Bearer ']);
  });

  it('refuses an audience that is no service, and a request with another Authorization', async () => {
    await using it = await guarded();
    expect(() => authorizedFetch(it.jwts, { audience: 'spiffe://a.test' })).toThrow('whole trust domain');
    await expect(authorizedFetch(it.jwts, { audience: () => '' })(it.origin)).rejects.toThrow(TypeError);
    await expect(it.authorized(it.origin, { headers: { authorization: 'Basic x' } })).rejects.toThrow('already');
  });
});

describe('a request is refused', () => {
  it('401 with a challenge when it presents nothing, or what is no bearer token', async () => {
    await using it = await guarded();
    const nothing = await it.get({});
    expect([nothing.status, nothing.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await nothing.json()).toMatchObject({ status: 401, title: 'no-credential' });
    for (const authorization of ['Basic eA==', 'Bearer', 'Bearer a b', 'Bearer x', 'Bearer a.b.c']) {
      const response = await it.get({ authorization });
      const challenge = response.headers.get('www-authenticate');
      expect([response.status, challenge]).toEqual([401, 'Bearer error="invalid_token"']);
    }
  });

  it('401 for another audience, an expired token and a WIT-SVID, without telling why', async () => {
    await using it = await guarded();
    const [other, old] = [
      await it.a.jwtSvid('/client', ['other']),
      await it.a.jwtSvid('/client', [AUDIENCE], { ttl: -600 }),
    ].map(({ token }) => token);
    for (const token of [other, old, it.wits.witSvid().token]) {
      const response = await it.get({ authorization: `Bearer ${token}` });
      const body = await response.text();
      expect([response.status, body.includes('the JWT-SVID is not valid for this service')]).toEqual([401, true]);
      expect(body).not.toContain(token);
    }
    const reasons = it.refused.map(({ cause }) => (cause as { code: string }).code);
    expect(reasons).toEqual(['wrong-audience', 'expired', 'invalid-token']);
  });

  it('403 for an identity that is not welcome, 503 when nobody can judge', async () => {
    await using it = await guarded(authorizeId(SpiffeId.parse('spiffe://a.test/other')));
    expect((await it.authorized(it.origin)).status).toBe(403);
    const { authorization } = await it.jwts.headers(AUDIENCE);
    it.jwts.validate = async () => {
      throw new Error('the agent is away');
    };
    expect((await it.get({ authorization })).status).toBe(503);
  });
});
