import { Code, GrpcError } from '@steeple/proto/grpc';
import { verifyWitSvid } from '@steeple/spiffe';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemRim } from '../rim.ts';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { jwtResponse } from '../testing/wire-state.ts';
import { until } from '../tls/fixture.ts';
import { WorkloadBundleSource } from './bundle-sources.ts';
import { JwtSource } from './jwt-source.ts';
import { WitSource } from './wit-source.ts';

let a: TestTrustDomain;
let b: TestTrustDomain;
let api: FakeWorkloadApi;
let late = 0;
// Stands still but for what a test adds.
const start = Math.floor(systemRim.now());
const later = () => start + late;
const rim = { ...systemRim, now: later };

beforeAll(async () => {
  [a, b] = await Promise.all([
    TestTrustDomain.create('a.test', { now: later }),
    TestTrustDomain.create('b.test', { now: later }),
  ]);
});

beforeEach(async () => {
  late = 0;
  api = await FakeWorkloadApi.start();
  api.answerJwt = async (audience) => jwtResponse([await a.jwtSvid('/w', audience)]);
});

afterEach(() => api.close());

const opening = () => ({ address: api.address, timeout: 10, rim });

describe('JwtSource', () => {
  it('fetches once per audience and identity, and again at half of the life', async () => {
    await using source = await JwtSource.open(opening());
    const first = await source.fetch('x');
    expect((await source.fetch('x')).token).toBe(first.token);
    expect(api.countOf('FetchJWTSVID')).toBe(1);
    await source.fetch('y');
    await source.fetch('x', { id: a.id('/w') });
    expect(api.countOf('FetchJWTSVID')).toBe(3);
    late = 149;
    expect((await source.fetch('x')).token).toBe(first.token);
    late = 151;
    expect((await source.fetch('x')).token).not.toBe(first.token);
  });

  it('shares one request between callers in a hurry', async () => {
    await using source = await JwtSource.open(opening());
    const svids = await Promise.all(Array.from({ length: 20 }, () => source.fetch('x')));
    expect(new Set(svids.map(({ token }) => token)).size).toBe(1);
    expect(api.countOf('FetchJWTSVID')).toBe(1);
  });

  it('goes on with a token that is still valid while the agent is away', async () => {
    await using source = await JwtSource.open(opening());
    const { token } = await source.fetch('x');
    await api.crash();
    late = 200;
    expect((await source.fetch('x')).token).toBe(token);
    late = 297;
    await expect(source.fetch('x')).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    await expect(source.fetch('never seen')).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('gives out no token after the identity was withdrawn', async () => {
    await using source = await JwtSource.open(opening());
    await source.fetch('x');
    api.answerJwt = async () => {
      throw new GrpcError(Code.PERMISSION_DENIED, 'no identity issued');
    };
    late = 200;
    await expect(source.fetch('x')).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    await api.crash();
    await expect(source.fetch('x')).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('chooses by hint', async () => {
    api.answerJwt = async (audience) =>
      jwtResponse([await a.jwtSvid('/one', audience), await a.jwtSvid('/two', audience, { hint: 'h' })]);
    await using first = await JwtSource.open(opening());
    await using hinted = await JwtSource.open({ ...opening(), hint: 'h' });
    await using absent = await JwtSource.open({ ...opening(), hint: 'none' });
    expect((await first.fetch('x')).id.path).toBe('/one');
    expect((await hinted.fetch('x')).id.path).toBe('/two');
    await expect(absent.fetch('x')).rejects.toMatchObject({ code: 'no-hint' });
  });

  it('lets the agent validate by default (WAPI-49)', async () => {
    api.answerValidate = async () => ({ spiffeId: 'spiffe://b.test/w', claims: { sub: 'spiffe://b.test/w' } });
    await using source = await JwtSource.open(opening());
    expect((await source.validate('any', 'x')).id.toString()).toBe('spiffe://b.test/w');
    expect(api.countOf('ValidateJWTSVID')).toBe(1);
  });

  it('validates by itself with the bundle of the subject’s trust domain only (WAPI-50)', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle, b.bundle] });
    await using source = await JwtSource.open({ ...opening(), validation: 'local' });
    const good = await b.jwtSvid('/w', ['x']);
    expect((await source.validate(good.token, 'x')).id.toString()).toBe('spiffe://b.test/w');
    await expect(source.validate(good.token, 'y')).rejects.toMatchObject({ code: 'wrong-audience' });
    const stranger = await TestTrustDomain.create('b.test');
    const forged = await stranger.jwtSvid('/w', ['x']);
    await expect(source.validate(forged.token, 'x')).rejects.toMatchObject({ name: 'SpiffeError' });
    expect(api.countOf('ValidateJWTSVID')).toBe(0);
    // WAPI-45: the federation has ended.
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle] });
    await until(() =>
      source.validate(good.token, 'x').then(
        () => false,
        () => true,
      ),
    );
  });
});

describe('WorkloadBundleSource', () => {
  it('holds one kind of bundle and forgets what was withdrawn', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle, b.bundle] });
    await using x509 = await WorkloadBundleSource.openX509(opening());
    await using jwt = await WorkloadBundleSource.openJwt(opening());
    await using wit = await WorkloadBundleSource.openWit(opening());
    const counts = [x509, jwt, wit].map((source) => {
      const bundle = source.bundleFor(a.trustDomain);
      return [bundle?.x509Authorities.length, bundle?.jwtAuthorities.length, bundle?.witAuthorities.length];
    });
    expect(counts).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(x509.bundles().map(({ trustDomain }) => trustDomain.name)).toEqual(['a.test', 'b.test']);
    api.withdraw();
    await until(() => [x509, jwt, wit].every((source) => source.bundleFor(a.trustDomain) === undefined));
  });
});

describe('WitSource', () => {
  it('makes header fields that a verifier accepts, once', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle], wits: [await a.witSvid('/w')] });
    await using source = await WitSource.open(opening());
    const headers = source.headers(new URL('https://peer.test/path?query=1'));
    const proof = { token: headers['workload-proof-token'], audience: 'https://peer.test/path' };
    const bundles = { bundleFor: () => a.bundle };
    const verified = verifyWitSvid(headers['workload-identity-token'], bundles, proof, { now: later() });
    expect(verified.id.toString()).toBe('spiffe://a.test/w');
    expect(source.headers(new URL('https://peer.test/path'))['workload-proof-token']).not.toBe(proof.token);
  });

  it('sends nothing over an unprotected channel (WIT-40)', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle], wits: [await a.witSvid('/w')] });
    await using source = await WitSource.open(opening());
    expect(() => source.headers(new URL('http://peer.test/'))).toThrow('https');
  });

  it('gives out nothing withdrawn or expired', async () => {
    api.issue({ svids: [await a.x509Svid('/w')], bundles: [a.bundle], wits: [await a.witSvid('/w')] });
    await using source = await WitSource.open(opening());
    late = 2 * 3600;
    expect(() => source.witSvid()).toThrow('expired');
    late = 0;
    expect(source.witSvid().id.path).toBe('/w');
    api.withdraw();
    await until(() => {
      try {
        return source.witSvid() === undefined;
      } catch {
        return true;
      }
    });
  });

  it('ends where the agent knows no WIT-SVIDs', async () => {
    api.wit.fail(new GrpcError(Code.UNIMPLEMENTED, 'no WIT here'));
    await expect(WitSource.open(opening())).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });
});
