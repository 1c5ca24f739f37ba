// The JWT and WIT profiles of a real agent.
import { createPrivateKey, createPublicKey, type JsonWebKey, sign, verify } from 'node:crypto';
import { Code } from '@steeple/proto/grpc';
import { forgeToken } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { claimsOf, confirmedKey, headerOf, isSignedBy, type JwkSet } from './decode-token.ts';
import { createEntry, first, HEADER, messageThat, reader, STREAM, stackWorld, statusOf, WIT } from './stack-world.ts';

const world = stackWorld({ server: WIT, agent: WIT });
const ONE = 'spiffe://a.test/one';
const fetchJwt = (audience: string[], spiffeId = '') => world.workload.fetchJWTSVID({ audience, spiffeId }, HEADER);
const validate = (svid: string, audience = 'y') => world.workload.validateJWTSVID({ svid, audience }, HEADER);
const fetchWit = (spiffeId = '') => world.workload.fetchWITSVID({ spiffeId }, HEADER);

it('[WAPI-39] [WAPI-58] [WAPI-63] answers PermissionDenied to a caller without identity', async () => {
  expect(await statusOf(fetchJwt(['y']))).toBe(Code.PERMISSION_DENIED);
  expect(await statusOf(fetchWit())).toBe(Code.PERMISSION_DENIED);
  expect(await statusOf(world.workload.fetchWITBundles({}, HEADER))).toBe(Code.PERMISSION_DENIED);
});

it('[WAPI-01] serves the X.509 and JWT profiles to an entitled caller', async () => {
  await createEntry(world, { path: '/one', hint: 'same' });
  // The age of an entry is known to the second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await createEntry(world, { path: '/two', hint: 'same' });
  await createEntry(world, { path: '/three' });
  const stream = reader(world.workload.fetchX509SVID({}, STREAM));
  await messageThat(stream, ({ svids }) => svids.some(({ spiffeId }) => spiffeId.endsWith('/three')));
  await stream.return?.();
  const { svids } = await fetchJwt(['y']);
  const codes = [
    statusOf(world.workload.fetchX509SVID({}, HEADER)),
    statusOf(world.workload.fetchX509Bundles({}, HEADER)),
    statusOf(world.workload.fetchJWTBundles({}, HEADER)),
    statusOf(validate(svids[0]?.svid ?? '')),
  ];
  expect(await Promise.all(codes)).toEqual([0, 0, 0, 0]);
});

it('[WAPI-33] [WAPI-35] [WAPI-36] [WAPI-37] gives a JWT-SVID for each identity, one per hint', async () => {
  const { svids } = await fetchJwt(['y']);
  expect(svids.map(({ spiffeId }) => spiffeId).sort()).toEqual([ONE, 'spiffe://a.test/three']);
  expect(svids.filter(({ hint }) => hint === 'same')).toHaveLength(1);
  for (const { spiffeId, svid } of svids) expect(claimsOf(svid)['sub']).toBe(spiffeId);
});

it('[WAPI-32] [JWT-09] puts exactly the audiences asked for into the token', async () => {
  for (const audience of [['x', 'y'], ['Y ', 'y'], ['spiffe://example.org/']]) {
    const { svids } = await fetchJwt(audience, ONE);
    expect(claimsOf(svids[0]?.svid ?? '')['aud']).toEqual(audience);
  }
});

it('[WAPI-34] [WAPI-39] gives the one identity asked for, if it is the caller’s', async () => {
  const { svids } = await fetchJwt(['y'], ONE);
  expect(svids.map(({ spiffeId }) => spiffeId)).toEqual([ONE]);
  expect(await statusOf(fetchJwt(['y'], 'spiffe://a.test/'))).toBe(Code.INVALID_ARGUMENT);
  for (const other of ['spiffe://a.test/nobody', 'spiffe://b.test/one']) {
    expect(await statusOf(fetchJwt(['y'], other))).toBe(Code.PERMISSION_DENIED);
  }
});

it('[WAPI-15] [JWT-09] refuses requests without a mandatory field', async () => {
  const refused = [fetchJwt([]), fetchJwt(['']), fetchJwt(['a', '']), validate('t', ''), validate('')];
  expect(await Promise.all(refused.map(statusOf))).toEqual(refused.map(() => Code.INVALID_ARGUMENT));
});

it('[JWT-02] [JWT-06] [JWT-08] [JWT-12] [JWT-15] [JWT-17] [JWT-H4] issues tokens as the standard has them', async () => {
  const { svids } = await fetchJwt(['y'], ONE);
  const token = svids[0]?.svid ?? '';
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  const header = headerOf(token);
  expect(Object.keys(header).filter((name) => !['alg', 'kid', 'typ'].includes(name))).toEqual([]);
  expect(header['kid']).toMatch(/./);
  const { sub, aud, exp, iat } = claimsOf(token) as { sub: string; aud: string[]; exp: number; iat: number };
  expect([sub, aud]).toEqual([ONE, ['y']]);
  expect([Number.isInteger(exp), Number.isInteger(iat), exp > iat, exp - iat <= 300]).toEqual([true, true, true, true]);
  const { jwtAuthorities } = await world.bundles.getBundle({});
  const key = jwtAuthorities.find(({ keyId }) => keyId === header['kid']);
  expect(Number(key?.expiresAt)).toBeGreaterThanOrEqual(exp);
});

it('[WAPI-41] [WAPI-42] [WAPI-43] gives JWT bundles as plain JWK Sets with JWT keys only', async () => {
  const { bundles } = await first(world.workload.fetchJWTBundles({}, HEADER));
  expect(Object.keys(bundles)).toEqual(['spiffe://a.test']);
  const set = JSON.parse(Buffer.from(bundles['spiffe://a.test'] ?? []).toString()) as JwkSet;
  expect(Object.keys(set)).toEqual(['keys']);
  const { jwtAuthorities, witAuthorities } = await world.bundles.getBundle({});
  expect(set.keys.map(({ kid }) => kid)).toEqual(jwtAuthorities.map(({ keyId }) => keyId));
  expect(witAuthorities.length).toBeGreaterThan(0);
  const { svids } = await fetchJwt(['y'], ONE);
  expect(isSignedBy(set, svids[0]?.svid ?? '')).toBe(true);
  expect(set.keys.map(({ use }) => use)).toEqual(set.keys.map(() => undefined));
});

it('[WAPI-47] [WAPI-48] gives subject, audience list and expiry of a valid token', async () => {
  const { svids } = await fetchJwt(['y'], ONE);
  const { spiffeId, claims } = await validate(svids[0]?.svid ?? '');
  expect(spiffeId).toBe(ONE);
  expect(claims).toMatchObject({ sub: ONE, aud: ['y'] });
  expect(typeof claims?.['exp']).toBe('number');
});

it('[JWT-01] [WIT-36] refuses by ValidateJWTSVID whatever is no JWT-SVID', async () => {
  const { svids } = await fetchJwt(['y'], ONE);
  const token = svids[0]?.svid ?? '';
  const [head = '', body = '', signature = ''] = token.split('.');
  const wit = (await first(fetchWit(ONE))).svids[0]?.witSvid ?? '';
  const key = createPrivateKey({
    key: JSON.parse((await first(fetchWit(ONE))).svids[0]?.witSvidKey ?? '{}') as JsonWebKey,
    format: 'jwk',
  });
  const kid = headerOf(token)['kid'];
  const claims = claimsOf(token);
  const forged = [
    JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
    JSON.stringify({ payload: body, protected: head, signature }),
    wit,
    `${token}..`,
    `${head}.${body}.`,
    forgeToken({ alg: 'ES256', kid }, claims, { key, digest: 'sha256' }),
    forgeToken({ alg: 'none', kid }, claims, { none: true }),
  ];
  expect(await Promise.all(forged.map((svid) => statusOf(validate(svid))))).toEqual(
    forged.map(() => Code.INVALID_ARGUMENT),
  );
  expect(await statusOf(validate(token, 'other'))).toBe(Code.INVALID_ARGUMENT);
});

it('[WAPI-53] [WAPI-54] [WAPI-55] [WAPI-56] [WIT-10] gives WIT-SVIDs with their keys, one per identity and hint', async () => {
  const { svids } = await first(fetchWit());
  expect(svids.map(({ spiffeId }) => spiffeId).sort()).toEqual([ONE, 'spiffe://a.test/three']);
  for (const { spiffeId, witSvid, witSvidKey } of svids) {
    expect(claimsOf(witSvid)['sub']).toBe(spiffeId);
    const privateKey = JSON.parse(witSvidKey) as JsonWebKey;
    expect(typeof privateKey.d).toBe('string');
    const jwk = confirmedKey(witSvid);
    expect({ kty: privateKey.kty, crv: privateKey.crv, x: privateKey.x, y: privateKey.y }).toMatchObject({
      kty: jwk.kty,
      crv: jwk.crv,
      x: jwk.x,
      y: jwk.y,
    });
  }
  expect((await first(fetchWit(ONE))).svids.map(({ spiffeId }) => spiffeId)).toEqual([ONE]);
  expect(await statusOf(fetchWit('spiffe://a.test/nobody'))).toBe(Code.PERMISSION_DENIED);
  expect(await statusOf(fetchWit('spiffe://a.test/'))).toBe(Code.INVALID_ARGUMENT);
});

it('[WIT-02] [WIT-05] [WIT-08] [WIT-12] [WIT-13] [WIT-16] [WIT-24] [WIT-H1] issues WIT-SVIDs as the standard has them', async () => {
  const { witSvid, witSvidKey } = (await first(fetchWit(ONE))).svids[0] ?? { witSvid: '', witSvidKey: '{}' };
  expect(witSvid).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  const header = headerOf(witSvid);
  expect(Object.keys(header).sort()).toEqual(['alg', 'kid', 'typ']);
  expect([header['typ'], header['kid']]).toEqual(['wit+jwt', expect.stringMatching(/./)]);
  const claims = claimsOf(witSvid);
  const jwk = confirmedKey(witSvid);
  expect(typeof claims['exp']).toBe('number');
  expect('aud' in claims || 'iss' in claims).toBe(false);
  expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kty', 'x', 'y']);
  expect(jwk['alg']).toBe('ES256');
  const data = Buffer.from('possession');
  const signature = sign(
    'sha256',
    data,
    createPrivateKey({ key: JSON.parse(witSvidKey) as JsonWebKey, format: 'jwk' }),
  );
  expect(verify('sha256', data, createPublicKey({ key: jwk, format: 'jwk' }), signature)).toBe(true);
});

it('[WAPI-61] [WAPI-62] gives WIT bundles as JSON text with a key id on each key', async () => {
  const { bundles } = await first(world.workload.fetchWITBundles({}, HEADER));
  expect(Object.keys(bundles)).toEqual(['spiffe://a.test']);
  const { keys } = JSON.parse(bundles['spiffe://a.test'] ?? '') as JwkSet;
  const { jwtAuthorities, witAuthorities } = await world.bundles.getBundle({});
  expect(keys.map(({ kid }) => kid)).toEqual(witAuthorities.map(({ keyId }) => keyId));
  const all = [...jwtAuthorities, ...witAuthorities].map(({ keyId }) => keyId);
  expect(new Set(all).size).toBe(all.length);
});

it('[WIT-14] [WIT-26] shares neither WIT-SVIDs nor their keys between entries, and numbers none twice', async () => {
  const messages = await Promise.all(Array.from({ length: 20 }, () => first(fetchWit())));
  const all = messages.flatMap(({ svids }) => svids);
  const owners = new Map<string, Set<string>>();
  for (const { spiffeId, witSvid } of all) {
    const key = JSON.stringify(confirmedKey(witSvid));
    owners.set(key, (owners.get(key) ?? new Set()).add(spiffeId));
  }
  expect([...owners.values()].every(({ size }) => size === 1)).toBe(true);
  const tokens = [...new Set(all.map(({ witSvid }) => witSvid))];
  const ids = tokens.map((token) => claimsOf(token)['jti']).filter((jti) => jti !== undefined);
  expect(new Set(ids).size).toBe(ids.length);
});
