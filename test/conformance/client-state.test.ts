import {
  authorizeAny,
  connectTls,
  JwtSource,
  verifyJwtSvid,
  verifyX509Svid,
  WitSource,
  WorkloadBundleSource,
  X509Source,
} from '@steeple/client';
import { jwtResponse, type TestTrustDomain } from '@steeple/client/testing';
import { expect, it } from 'vitest';
import { clientWorld, failureOf, nextEvent, until } from './client-world.ts';
import { refusal } from './refusal.ts';

const world = clientWorld();
const now = () => Date.now() / 1000;
const options = () => ({ client: world.client, timeout: 10 });
const hints = { A: 'foo', B: 'bar', C: 'foo', D: '', E: '' };
const kept = ['/A', '/B', '/D', '/E'];

it('[WAPI-25] keeps the first of repeated hints among X509-SVIDs', async () => {
  const { a, api, client } = world;
  const svids = await Promise.all(Object.entries(hints).map(([name, hint]) => a.x509Svid(`/${name}`, { hint })));
  api.issue({ svids, bundles: [a.bundle] });
  expect((await client.fetchX509Context({ timeout: 10 })).svids.map(({ id }) => id.path)).toEqual(kept);
});

it('[WAPI-38] keeps the first of repeated hints among JWT-SVIDs', async () => {
  const { a, api, client } = world;
  const tokens = await Promise.all(Object.entries(hints).map(([name, hint]) => a.jwtSvid(`/${name}`, ['y'], { hint })));
  api.answerJwt = async () => jwtResponse(tokens);
  expect((await client.fetchJwtSvids({ audience: ['y'] })).map(({ id }) => id.path)).toEqual(kept);
});

it('[WAPI-57] keeps the first of repeated hints among WIT-SVIDs', async () => {
  const { a, api, client } = world;
  const wits = await Promise.all(Object.entries(hints).map(([name, hint]) => a.witSvid(`/${name}`, { hint })));
  api.issue({ svids: [await a.x509Svid('/x')], bundles: [a.bundle], wits });
  expect((await client.fetchWitSvids(undefined, { timeout: 10 })).map(({ id }) => id.path)).toEqual(kept);
});

it('[WAPI-66] [WAPI-67] takes the first identity by default, and none silently if a hint is missing', async () => {
  const { a, api } = world;
  const svids = [await a.x509Svid('/first', { hint: 'one' }), await a.x509Svid('/second', { hint: 'two' })];
  api.issue({ svids, bundles: [a.bundle] });
  await using plain = await X509Source.open(options());
  expect(plain.x509Svid().id.path).toBe('/first');
  await using second = await X509Source.open({ ...options(), hint: 'two' });
  expect(second.x509Svid().id.path).toBe('/second');
  await using none = await X509Source.open({ ...options(), hint: 'three' });
  expect(() => none.x509Svid()).toThrow(expect.objectContaining({ code: 'no-hint' }));
});

it('[WAPI-27] stops using SVIDs that a message leaves out, and all of them after PermissionDenied', async () => {
  const { a, api } = world;
  const [first, second] = [await a.x509Svid('/first'), await a.x509Svid('/second')];
  api.issue({ svids: [first, second], bundles: [a.bundle] });
  await using source = await X509Source.open(options());
  expect(source.x509Svids()).toHaveLength(2);
  api.issue({ svids: [second], bundles: [a.bundle] });
  await until(() => source.x509Svids().length === 1);
  expect(source.x509Svid().id.path).toBe('/second');
  const withdrawn = new Promise((resolve) => source.on('withdrawn', resolve));
  api.withdraw();
  await withdrawn;
  expect(() => source.x509Svid()).toThrow(expect.objectContaining({ code: 'no-svid' }));
  expect(source.bundleFor(a.trustDomain)).toBeUndefined();
  const policy = { svid: source, bundles: source, authorize: authorizeAny(), now };
  expect(await failureOf(connectTls({ host: '127.0.0.1', port: 1 }, policy))).toMatchObject({ code: 'no-svid' });
});

it('[WAPI-59] stops using WIT-SVIDs that are left out or withdrawn', async () => {
  const { a, api } = world;
  const svids = [await a.x509Svid('/x')];
  const wits = [await a.witSvid('/first'), await a.witSvid('/second')];
  api.issue({ svids, bundles: [a.bundle], wits });
  await using source = await WitSource.open(options());
  expect(source.witSvid().id.path).toBe('/first');
  api.issue({ svids, bundles: [a.bundle], wits: wits.slice(1) });
  await until(() => source.witSvid().id.path === '/second');
  const withdrawn = new Promise((resolve) => source.on('withdrawn', resolve));
  api.withdraw();
  await withdrawn;
  expect(() => source.witSvid()).toThrow(expect.objectContaining({ code: 'no-svid' }));
});

it('[WAPI-12] [WAPI-13] unloads federated bundles that a message leaves out', async () => {
  const { a, b, api, client } = world;
  const svid = await a.x509Svid('/x');
  const peer = await b.x509Svid('/x');
  api.issue({ svids: [svid], bundles: [a.bundle, b.bundle] });
  const events = client.watchX509Context()[Symbol.asyncIterator]();
  const bundles = async () => {
    const event = await nextEvent(events, 'update');
    if (event.kind !== 'update') throw new Error('no update');
    return event.value.bundles;
  };
  expect(verifyX509Svid(peer.chain, await bundles(), { now: now() }).id.toString()).toBe('spiffe://b.test/x');
  api.issue({ svids: [svid], bundles: [a.bundle] });
  const next = await bundles();
  expect(refusal(() => verifyX509Svid(peer.chain, next, { now: now() })).code).toBe('no-bundle');
  await events.return?.();
});

const issueBundles = async (...domains: readonly TestTrustDomain[]) => {
  const svids = [await world.a.x509Svid('/x')];
  world.api.issue({ svids, bundles: domains.map(({ bundle }) => bundle) });
};

it('[WAPI-14] [WAPI-31] [WAPI-45] [WAPI-64] unloads bundles of each kind that are left out', async () => {
  const { a, b } = world;
  await issueBundles(a, b);
  await using x509 = await WorkloadBundleSource.openX509(options());
  await using jwt = await WorkloadBundleSource.openJwt(options());
  await using wit = await WorkloadBundleSource.openWit(options());
  const sources = [x509, jwt, wit];
  for (const source of sources) expect(source.bundleFor(b.trustDomain)?.isEmpty).toBe(false);
  const peer = await b.x509Svid('/x');
  const { token } = await b.jwtSvid('/x', ['y']);
  expect(verifyJwtSvid(token, jwt, ['y'], { now: now() }).id.path).toBe('/x');
  await issueBundles(a);
  await until(() => sources.every((source) => source.bundleFor(b.trustDomain) === undefined));
  expect(refusal(() => verifyX509Svid(peer.chain, x509, { now: now() })).code).toBe('no-bundle');
  expect(refusal(() => verifyJwtSvid(token, jwt, ['y'], { now: now() })).code).toBe('no-bundle');
});

it('[WAPI-18] [WAPI-28] [WAPI-40] [WAPI-60] lets each kind of bundle vouch for its own kind of SVID only', async () => {
  const { a, client } = world;
  await issueBundles(a);
  const limit = { timeout: 10 };
  const kinds = [
    (await client.fetchX509Context(limit)).bundles,
    await client.fetchX509Bundles(limit),
    await client.fetchJwtBundles(limit),
    await client.fetchWitBundles(limit),
  ].map((bundles) => bundles.bundleFor(a.trustDomain));
  const counts = kinds.map((bundle) => [
    bundle?.x509Authorities.length,
    bundle?.jwtAuthorities.length,
    bundle?.witAuthorities.length,
  ]);
  expect(counts).toEqual([
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
});

it('[WAPI-49] lets the agent validate unless told otherwise', async () => {
  const { a, api } = world;
  const { token } = await a.jwtSvid('/x', ['y']);
  const answer = { spiffeId: 'spiffe://a.test/x', claims: { sub: 'spiffe://a.test/x' } };
  api.answerValidate = async () => answer;
  await using source = await JwtSource.open(options());
  expect((await source.validate(token, 'y')).id.path).toBe('/x');
  expect(api.countOf('ValidateJWTSVID')).toBe(1);
});

it('[WIT-30] [WIT-31] [WIT-38] [WIT-40] presents a WIT-SVID with a short-lived proof, over https, never as a bearer', async () => {
  const { a, api } = world;
  api.issue({ svids: [await a.x509Svid('/x')], bundles: [a.bundle], wits: [await a.witSvid('/x')] });
  await using source = await WitSource.open(options());
  const headers = source.headers(new URL('https://y.test/api?q=1'));
  expect(Object.keys(headers).sort()).toEqual(['workload-identity-token', 'workload-proof-token']);
  const claims = JSON.parse(
    Buffer.from(headers['workload-proof-token'].split('.')[1] ?? '', 'base64url').toString(),
  ) as { exp: number; aud: string };
  expect(claims.exp - now()).toBeLessThanOrEqual(60);
  expect(claims.aud).toBe('https://y.test/api');
  expect(() => source.headers(new URL('http://y.test/api'))).toThrow(TypeError);
  const bearer = headers['workload-identity-token'];
  expect(refusal(() => verifyJwtSvid(bearer, { bundleFor: () => a.bundle }, ['y'], { now: now() })).code).toBe(
    'invalid-token',
  );
  expect(await failureOf(world.client.validateJwtSvid(bearer, 'y'))).toBeInstanceOf(Error);
});
