import { Code } from '@steeple/proto/grpc';
import { FakeWorkloadApi, TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { bundleFromWorkloadApi } from './upstream-workload-api.ts';

const never = new AbortController().signal;
const [own, other] = [await TestTrustDomain.create('a.test'), await TestTrustDomain.create('b.test')];

describe('the bundle from another agent’s Workload API', () => {
  it('is the one of the trust domain, of several', async () => {
    await using api = await FakeWorkloadApi.start();
    api.issue({ svids: [], bundles: [other.bundle, own.bundle] });
    const bundle = await bundleFromWorkloadApi(api.address, own.trustDomain, never);
    expect(bundle.trustDomain.name).toBe('a.test');
    expect(bundle.x509Authorities.map(({ certificate }) => certificate.serialHex)).toEqual(
      own.bundle.x509Authorities.map(({ certificate }) => certificate.serialHex),
    );
    expect(api.calls.map(({ method, metadata }) => [method, metadata['workload.spiffe.io']])).toEqual([
      ['FetchX509Bundles', ['true']],
    ]);
  });

  it('may come later when it is not there, or nobody answers', async () => {
    await using api = await FakeWorkloadApi.start();
    api.issue({ svids: [], bundles: [other.bundle] });
    await expect(bundleFromWorkloadApi(api.address, own.trustDomain, never)).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: expect.stringContaining('has no bundle of a.test'),
    });
    const gone = bundleFromWorkloadApi('unix:///tmp/no-such-socket', own.trustDomain, never);
    await expect(gone).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('is not waited for by whoever has stopped', async () => {
    await using api = await FakeWorkloadApi.start();
    const stop = new AbortController();
    const asked = bundleFromWorkloadApi(api.address, own.trustDomain, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(asked).rejects.toMatchObject({ code: Code.CANCELLED });
  });
});
