import { credentials } from '@grpc/grpc-js';
import { parseCertificates, parseHeldWitSvid, WorkloadApiClient } from '@steeple/client';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { healthV1, reflectionV1 } from '@steeple/proto/infra';
import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { HEADER, Home, Reader, until } from './home.ts';

const call = { metadata: HEADER, deadline: 20 };
const failure = (error: unknown) => (error instanceof GrpcError ? [error.code, error.message] : error);
const outcome = (promise: Promise<unknown>) => promise.then(() => 'OK', failure);
const one = async <T>(stream: AsyncIterable<T>): Promise<T> => {
  for await (const message of stream) return message;
  throw new Error('no message');
};
const served = (home: Home, count = 1) =>
  until(async () => {
    const answer = await home.workload.fetchJWTSVID({ audience: ['probe'] }, call).catch(() => undefined);
    return answer?.svids.length === count;
  });
const WIT = { experimental: { feature_flags: ['wit-svid'] } };

describe('the Workload API', () => {
  it('refuses every call without the one header, before anything else', async () => {
    await using home = await Home.open();
    await home.ready();
    const headers: Record<string, string>[] = [
      {},
      { 'workload.spiffe.io': 'TRUE' },
      { 'workload.spiffe.io': '1' },
      { 'workload.spiffe.io': '' },
    ];
    for (const metadata of headers) {
      const bad = { metadata, deadline: 20 };
      const { workload } = home;
      for (const attempt of [
        one(workload.fetchX509SVID({}, bad)),
        one(workload.fetchX509Bundles({}, bad)),
        workload.fetchJWTSVID({ audience: ['a'] }, bad),
        one(workload.fetchJWTBundles({}, bad)),
        workload.validateJWTSVID({ audience: 'a', svid: 'b' }, bad),
        one(workload.fetchWITSVID({}, bad)),
        one(workload.fetchWITBundles({}, bad)),
      ].map(outcome)) {
        expect(await attempt).toEqual([Code.INVALID_ARGUMENT, 'security header missing from request']);
      }
    }
  });

  it('gives strangers nothing and says so in the words clients know', async () => {
    await using home = await Home.open();
    await home.ready();
    const { workload } = home;
    const refused = [Code.PERMISSION_DENIED, 'no identity issued'];
    for (const attempt of [
      one(workload.fetchX509SVID({}, call)),
      one(workload.fetchX509Bundles({}, call)),
      workload.fetchJWTSVID({ audience: ['a'] }, call),
      one(workload.fetchJWTBundles({}, call)),
    ].map(outcome)) {
      expect(await attempt).toEqual(refused);
    }
    expect(((await outcome(one(workload.fetchWITSVID({}, call)))) as unknown[])[0]).toBe(Code.UNIMPLEMENTED);
    expect(((await outcome(one(workload.fetchWITBundles({}, call)))) as unknown[])[0]).toBe(Code.UNIMPLEMENTED);
  });

  it('judges the fields of a request before it asks who calls', async () => {
    await using home = await Home.open();
    await home.ready();
    const { workload } = home;
    for (const attempt of [
      workload.fetchJWTSVID({ audience: [] }, call),
      workload.fetchJWTSVID({ audience: ['a', ''] }, call),
      workload.fetchJWTSVID({ audience: ['a'], spiffeId: 'spiffe://home.test/../x' }, call),
      workload.validateJWTSVID({ audience: '', svid: 'x' }, call),
      workload.validateJWTSVID({ audience: 'a', svid: '' }, call),
      workload.validateJWTSVID({ audience: 'a', svid: 'a.b.c' }, call),
    ].map(outcome)) {
      expect(((await attempt) as unknown[])[0]).toBe(Code.INVALID_ARGUMENT);
    }
  });

  it('orders identities by entry id, keeps the oldest of a hint, and never gives a foreign one', async () => {
    await using home = await Home.open();
    await home.addEntry({ id: 'b', path: '/b', hint: 'same' });
    await home.addEntry({ id: 'c', path: '/c' });
    await home.addEntry({ id: 'a', path: '/a' });
    await home.addEntry({ id: '0', path: '/younger', hint: 'same', more: {} });
    await home.addEntry({ id: 'z', path: '/foreign', selectors: [{ type: 'unix', value: 'uid:4242' }] });
    await served(home, 3);
    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    const { svids } = await stream.next();
    const paths = svids.map(({ spiffeId }) => spiffeId.slice(home.trustDomain.id.length));
    expect(paths.filter((path) => path !== '/b' && path !== '/younger')).toEqual(['/a', '/c']);
    // Made in the same second, the smaller id counts as the older.
    expect(svids.filter(({ hint }) => hint === 'same')).toHaveLength(1);
    for (const svid of svids) {
      expect(parseCertificates(svid.x509Svid)[0]?.spiffeId().toString()).toBe(svid.spiffeId);
      expect(svid.x509SvidKey[0]).toBe(0x30);
      expect(parseCertificates(svid.bundle).length).toBeGreaterThan(0);
    }
    const foreign = home.workload.fetchJWTSVID({ audience: ['a'], spiffeId: home.id('/foreign') }, call);
    expect(await outcome(foreign)).toEqual([Code.PERMISSION_DENIED, 'no identity issued']);
    const chosen = await home.workload.fetchJWTSVID({ audience: ['x', 'y'], spiffeId: home.id('/c') }, call);
    expect(chosen.svids.map(({ spiffeId }) => spiffeId)).toEqual([home.id('/c')]);
    const [, payload] = chosen.svids[0]?.svid.split('.') ?? [];
    expect(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()).aud).toEqual(['x', 'y']);
  });

  it('works with our own client library: X.509, JWT and validation', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/web', hint: 'internal' });
    await served(home);
    await using client = new WorkloadApiClient({ address: `unix://${home.socket}` });
    const context = await client.fetchX509Context();
    expect(context.svids.map(({ id, hint }) => [id.toString(), hint])).toEqual([[home.id('/web'), 'internal']]);
    const [jwt] = await client.fetchJwtSvids({ audience: ['db'] });
    expect(await client.validateJwtSvid(jwt?.token ?? '', 'db')).toMatchObject({
      claims: { aud: ['db'], sub: home.id('/web') },
    });
    await expect(client.validateJwtSvid(jwt?.token ?? '', 'other')).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
  });

  it('issues WIT-SVIDs with a key of the agent’s making, one for each identity', async () => {
    await using home = await Home.open({ server: WIT, agent: WIT });
    await home.addEntry({ id: 'a', path: '/a' });
    await home.addEntry({ id: 'b', path: '/b' });
    await served(home, 2);
    using stream = new Reader((options) => home.workload.fetchWITSVID({}, options));
    const { svids } = await stream.next();
    expect(svids.map(({ spiffeId }) => spiffeId)).toEqual([home.id('/a'), home.id('/b')]);
    for (const { witSvid, witSvidKey, spiffeId } of svids) {
      expect(parseHeldWitSvid(witSvid, witSvidKey).id.toString()).toBe(spiffeId);
    }
    const { bundles } = await one(home.workload.fetchWITBundles({}, call));
    const keys = JSON.parse(bundles[home.trustDomain.id] ?? '').keys as { kid: string; use: string }[];
    expect(keys.map(({ use }) => use)).toEqual(['wit-svid']);
    await home.removeEntry('a');
    expect((await stream.find((message) => message.svids.length === 1)).svids[0]?.spiffeId).toBe(home.id('/b'));
    await home.removeEntry('b');
    expect((failure(await stream.end()) as unknown[])[0]).toBe(Code.PERMISSION_DENIED);
  });

  it('ends streams with PERMISSION_DENIED when the last identity goes', async () => {
    await using home = await Home.open();
    const id = await home.addEntry({ path: '/web' });
    await served(home);
    using svids = new Reader((options) => home.workload.fetchX509SVID({}, options));
    using bundles = new Reader((options) => home.workload.fetchX509Bundles({}, options));
    await svids.next();
    await bundles.next();
    await home.removeEntry(id);
    expect(failure(await svids.end())).toEqual([Code.PERMISSION_DENIED, 'no identity issued']);
    expect(failure(await bundles.end())).toEqual([Code.PERMISSION_DENIED, 'no identity issued']);
  });

  it('pushes bundles when authorities and federated bundles change, and nothing when nothing did', async () => {
    await using home = await Home.open();
    const { bundle } = await TestTrustDomain.create('other.test');
    const foreign = {
      trustDomain: 'other.test',
      x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: new Uint8Array(certificate.raw) })),
    };
    await home.admin.bundle.batchSetFederatedBundle({ bundle: [foreign] });
    await home.addEntry({ path: '/web', more: { federatesWith: ['other.test'] } });
    await served(home);
    using stream = new Reader((options) => home.workload.fetchX509Bundles({}, options));
    const both = await stream.find(({ bundles }) => Object.keys(bundles).length === 2);
    expect(Object.keys(both.bundles).sort()).toEqual(['spiffe://home.test', 'spiffe://other.test']);
    const own = both.bundles['spiffe://home.test'];
    const { preparedAuthority } = await home.admin.authority.prepareX509Authority({});
    const grown = await stream.next();
    expect(parseCertificates(grown.bundles['spiffe://home.test'] ?? new Uint8Array())).toHaveLength(2);
    expect(grown.bundles['spiffe://home.test']?.length).toBeGreaterThan(own?.length ?? 0);

    // Taint: every SVID under the old root is replaced without waiting for its half life.
    using svids = new Reader((options) => home.workload.fetchX509SVID({}, options));
    const before = (await svids.next()).svids[0];
    await home.admin.authority.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' });
    const { old } = await home.admin.authority.getX509AuthorityState({});
    await home.admin.authority.taintX509Authority({ authorityId: old?.authorityId ?? '' });
    const after = await svids.find(
      ({ svids: [svid] }) =>
        Buffer.compare(svid?.x509Svid ?? new Uint8Array(), before?.x509Svid ?? new Uint8Array()) !== 0,
    );
    const issuer = parseCertificates(after.svids[0]?.x509Svid ?? new Uint8Array())[0]?.authorityKeyId;
    expect(issuer).toBe(preparedAuthority?.authorityId);
  });

  it('answers health and reflection without the header, and drains with UNAVAILABLE', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/web' });
    await served(home);
    const settings = { address: `unix:${home.socket}`, credentials: credentials.createInsecure() };
    const health = createClient(healthV1.Health, settings);
    expect((await health.check({})).status).toBe(healthV1.HealthCheckResponse_ServingStatus.SERVING);
    const reflection = createClient(reflectionV1.ServerReflection, settings);
    const ask = async function* () {
      yield { messageRequest: { case: 'listServices' as const, value: '' } };
    };
    for (const options of [call, {}]) {
      const listed = JSON.stringify((await one(reflection.serverReflectionInfo(ask(), options))).messageResponse.value);
      expect(listed).toContain('SpiffeWorkloadAPI');
      expect(listed).toContain('envoy.service.secret.v3.SecretDiscoveryService');
    }
    health.close();
    reflection.close();

    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    await stream.next();
    await home.agent.stop();
    expect((failure(await stream.end()) as unknown[])[0]).toBe(Code.UNAVAILABLE);
  });
});
