import { Code, GrpcError } from '@steeple/proto/grpc';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemRim } from '../rim.ts';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { until } from '../tls/fixture.ts';
import { WorkloadApiClient } from '../workload-api/workload-api-client.ts';
import { X509Source, type X509SourceOptions } from './x509-source.ts';

let a: TestTrustDomain;
let b: TestTrustDomain;
let api: FakeWorkloadApi;
const sources: X509Source[] = [];

beforeAll(async () => {
  [a, b] = await Promise.all([TestTrustDomain.create('a.test'), TestTrustDomain.create('b.test')]);
});

beforeEach(async () => {
  api = await FakeWorkloadApi.start();
});

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await api.close();
});

async function open(options: X509SourceOptions = {}): Promise<X509Source> {
  const source = await X509Source.open({ address: api.address, timeout: 10, ...options });
  sources.push(source);
  return source;
}

async function issue(...paths: string[]): Promise<void> {
  api.issue({ svids: await Promise.all(paths.map((path) => a.x509Svid(path))), bundles: [a.bundle, b.bundle] });
}

/** What the source would present, or the code of its refusal. */
function presented(source: X509Source): string {
  try {
    return source.x509Svid().id.path;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('X509Source', () => {
  it('opens with the first state, also of an agent that comes late', async () => {
    await api.crash();
    const opening = open();
    await api.listen();
    await issue('/one', '/two');
    const source = await opening;
    expect(presented(source)).toBe('/one');
    expect(source.x509Svids()).toHaveLength(2);
    expect(source.bundleFor(b.trustDomain)?.trustDomain.name).toBe('b.test');
  });

  it('waits for an entry, and says what it waited for', async () => {
    api.withdraw();
    await expect(open({ timeout: 0.2 })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('no identity issued'),
    });
    const opening = open();
    await until(() => api.countOf('FetchX509SVID') > 2);
    await issue('/late');
    expect(presented(await opening)).toBe('/late');
  });

  it('can be aborted while it opens', async () => {
    const controller = new AbortController();
    const opening = open({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await until(() => api.x509.followers === 0);
  });

  it.each([Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED])('fails at once on status %i', async (code) => {
    api.x509.fail(new GrpcError(code, 'no'));
    await expect(open()).rejects.toMatchObject({ code });
    expect(api.countOf('FetchX509SVID')).toBe(1);
  });

  it('follows rotation, telling listeners and iterators', async () => {
    await issue('/w');
    const source = await open();
    const serials: string[] = [];
    source.on('update', ({ svids }) => serials.push(svids[0]?.leaf.serialHex ?? ''));
    const iterated: string[] = [];
    const iterating = (async () => {
      for await (const { svids } of source) iterated.push(svids[0]?.leaf.serialHex ?? '');
    })();
    const first = source.x509Svid();
    await issue('/w');
    await until(() => serials.length === 1);
    expect(source.x509Svid()).not.toBe(first);
    await until(() => iterated.length === 2);
    expect(iterated).toEqual([first.leaf.serialHex, source.x509Svid().leaf.serialHex]);
    await source.close();
    await iterating;
  });

  it('gives out nothing that was withdrawn, and recovers (WAPI-27, WAPI-31, B16)', async () => {
    await issue('/w');
    const source = await open();
    const withdrawn: Error[] = [];
    source.on('withdrawn', (error) => withdrawn.push(error));
    api.withdraw();
    await until(() => withdrawn.length > 0);
    expect(presented(source)).toBe('no-svid');
    expect(source.bundleFor(a.trustDomain)).toBeUndefined();
    await issue('/again');
    await until(() => presented(source) === '/again');
  });

  it('keeps its state while the agent is away or sends nonsense', async () => {
    await issue('/w');
    const source = await open();
    const errors: Error[] = [];
    source.on('error', (error) => errors.push(error));
    api.x509.publish({ svids: [] });
    await until(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: 'invalid-response' });
    await api.crash();
    await until(() => errors.length > 1);
    expect(presented(source)).toBe('/w');
    expect(source.bundleFor(a.trustDomain)).toBeDefined();
    await api.listen();
    await issue('/back');
    await until(() => presented(source) === '/back');
  });

  it('drops one of two SVIDs, and a federated bundle, when the next state leaves them out', async () => {
    await issue('/one', '/two');
    const source = await open();
    api.issue({ svids: [await a.x509Svid('/two')], bundles: [a.bundle] });
    await until(() => presented(source) === '/two');
    expect(source.x509Svids()).toHaveLength(1);
    expect(source.bundleFor(b.trustDomain)).toBeUndefined();
  });

  it('presents no expired SVID while the agent is away', async () => {
    let late = 0;
    await issue('/w');
    const source = await open({ rim: { ...systemRim, now: () => systemRim.now() + late } });
    await api.crash();
    late = 2 * 3600;
    expect(presented(source)).toBe('no-svid');
  });

  it('chooses by hint, never by default', async () => {
    const svids = [await a.x509Svid('/one', { hint: 'internal' }), await a.x509Svid('/two', { hint: 'external' })];
    api.issue({ svids, bundles: [a.bundle] });
    expect(presented(await open({ hint: 'external' }))).toBe('/two');
    expect(presented(await open({ hint: 'absent' }))).toBe('no-hint');
    expect(presented(await open({ pick: (all) => all.find(({ id }) => id.path === '/two') }))).toBe('/two');
    expect(presented(await open({ pick: () => undefined }))).toBe('no-hint');
  });

  it('gives out nothing after it was closed, and lets go of the agent', async () => {
    await issue('/w');
    const source = await open();
    await source.close();
    await source.close();
    expect(presented(source)).toBe('closed');
    expect(source.bundleFor(a.trustDomain)).toBeUndefined();
    await until(() => api.x509.followers === 0);
  });

  it('leaves a shared client open, and ends with it', async () => {
    await issue('/w');
    await using client = new WorkloadApiClient({ address: api.address });
    const [one, two] = await Promise.all([open({ client }), open({ client })]);
    await one.close();
    await expect(client.fetchX509Context({ timeout: 10 })).resolves.toBeDefined();
    await client.close();
    await until(() => presented(two) === 'closed');
  });
});
