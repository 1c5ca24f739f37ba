// A server with a registrar against a cluster in memory: what becomes an entry, what stays, and what a lost API does.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryV1, trustdomainV1, type types } from '@steeple/proto/server-api';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster, type FakeObject } from './testing/fake-cluster.ts';
import { idOf, TestServer } from './testing/test-server.ts';

let cluster: FakeCluster;
let server: TestServer;
let dir: TempDir;

const poll = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 10_000 });

beforeEach(async () => {
  dir = await tempDir();
  cluster = await FakeCluster.start();
  cluster.put('nodes', { metadata: { name: 'node1', uid: 'n-1' } });
  cluster.put('namespaces', { metadata: { name: 'shop', labels: { team: 'a' } } });
  cluster.put('namespaces', { metadata: { name: 'kube-system' } });
});

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const start = async (registrar: object = {}): Promise<void> => {
  const kube_config_file = dir.join('kubeconfig');
  await writeFile(kube_config_file, cluster.kubeconfig);
  server = await TestServer.start({}, {}, { kubernetes: { cluster_name: 'c1', kube_config_file, registrar } });
};

const pod = (name: string, more: { readonly labels?: object; readonly namespace?: string } = {}): FakeObject => {
  const { labels = { app: 'web' }, namespace = 'shop' } = more;
  const spec = { nodeName: 'node1', serviceAccountName: 'robot', containers: [{ name: 'main', image: 'i' }] };
  return { metadata: { name, namespace, uid: `p-${name}`, labels }, spec };
};

let uid = 0;
const object = (kind: string, name: string, spec: object, meta: object = {}): FakeObject => ({
  apiVersion: 'spire.spiffe.io/v1alpha1',
  kind,
  metadata: { name, uid: `o-${++uid}`, generation: 1, creationTimestamp: `2026-01-01T00:00:0${uid % 10}Z`, ...meta },
  spec,
});
const web = (name: string, more: object = {}, meta: object = {}): FakeObject => {
  const spiffeIDTemplate = `spiffe://{{ .TrustDomain }}/${name}/{{ .PodMeta.Name }}`;
  return object(
    'ClusterSPIFFEID',
    name,
    { spiffeIDTemplate, podSelector: { matchLabels: { app: 'web' } }, ...more },
    meta,
  );
};

const entries = async (): Promise<types.Entry[]> => (await server.admin(entryV1.Entry).listEntries({})).entries;
const paths = async (): Promise<string[]> => (await entries()).map(({ spiffeId }) => spiffeId?.path ?? '').toSorted();
const become = (expected: readonly string[]): Promise<void> => poll(paths).toEqual(expected);
const statusOf = (plural: string, name: string): unknown => cluster.get(plural, name)?.['status'];

describe('registrar', () => {
  it('makes an entry of each selected pod that has a node, and follows every change', async () => {
    cluster.put('clusterspiffeids', web('id', { namespaceSelector: { matchLabels: { team: 'a' } } }));
    cluster.put('pods', pod('one'));
    cluster.put('pods', pod('other', { labels: { app: 'db' } }));
    cluster.put('pods', pod('system', { namespace: 'kube-system' }));
    const waiting = pod('waiting');
    cluster.put('pods', { ...waiting, spec: {} });
    await start();
    await become(['/id/one']);
    cluster.put('pods', waiting);
    cluster.put('pods', pod('other'));
    await become(['/id/one', '/id/other', '/id/waiting']);
    cluster.remove('pods', 'one', 'shop');
    cluster.put('pods', pod('other', { labels: {} }));
    await become(['/id/waiting']);
    // A pod of the same name is another pod.
    cluster.remove('pods', 'waiting', 'shop');
    cluster.put('pods', { ...waiting, metadata: { ...waiting.metadata, uid: 'p-heir' } });
    const pods = async () => (await entries()).flatMap(({ selectors }) => selectors.map(({ value }) => value));
    await poll(pods).toEqual(['pod-uid:p-heir']);
    expect((await entries())[0]).toMatchObject({
      id: expect.stringMatching(/^k8s-c1\.[0-9a-f-]{36}$/) as string,
      parentId: idOf('/spire/agent/k8s_psat/c1/n-1'),
      selectors: [{ type: 'k8s', value: 'pod-uid:p-heir' }],
    });
    await poll(() => statusOf('clusterspiffeids', 'id')).toMatchObject({
      stats: { namespacesSelected: 1, podsSelected: 1, entriesToSet: 1, podEntryRenderFailures: 0 },
    });
    cluster.remove('clusterspiffeids', 'id');
    await become([]);
  });

  it('changes and removes nothing of others, whose entry stands where both want the same', async () => {
    const [selectors, parentId] = [[{ type: 'k8s', value: 'pod-uid:p-one' }], idOf('/spire/agent/k8s_psat/c1/n-1')];
    await start();
    const client = server.admin(entryV1.Entry);
    const ids = ['by-hand', 'k8s-c1.other-owner.1'] as const;
    await client.batchCreateEntry({ entries: [{ id: ids[0], spiffeId: idOf('/id/one'), parentId, selectors }] });
    await client.batchCreateEntry({ entries: [{ id: ids[1], spiffeId: idOf('/x'), parentId, selectors }] });
    cluster.put('pods', pod('one'));
    cluster.put('clusterspiffeids', web('id', { hint: 'h' }));
    await poll(() => statusOf('clusterspiffeids', 'id')).toMatchObject({ stats: { entryFailures: 1 } });
    expect((await entries()).map(({ id, hint }) => [id, hint])).toEqual(ids.map((id) => [id, '']));
    expect(JSON.stringify(server.logger.records)).toContain('by-hand, which others made');
  });

  it('lets the older of two objects count, and a fallback only where nothing else does', async () => {
    const same = { spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/same' };
    cluster.put(
      'clusterspiffeids',
      web('late', { ...same, hint: 'late' }, { creationTimestamp: '2026-02-01T00:00:00Z' }),
    );
    cluster.put(
      'clusterspiffeids',
      web('early', { ...same, hint: 'early' }, { creationTimestamp: '2025-01-01T00:00:00Z' }),
    );
    cluster.put('clusterspiffeids', web('rest', { podSelector: {}, fallback: true }));
    cluster.put('pods', pod('one'));
    cluster.put('pods', pod('two', { labels: {} }));
    await start();
    await become(['/rest/two', '/same']);
    expect((await entries()).map(({ hint }) => hint)).toContain('early');
    await poll(() => statusOf('clusterspiffeids', 'late')).toMatchObject({ stats: { entriesMasked: 1 } });
    cluster.remove('clusterspiffeids', 'early');
    await poll(async () => (await entries()).map(({ hint }) => hint)).toContain('late');
  });

  it('heeds its own class only', async () => {
    cluster.put('clusterspiffeids', web('mine', { className: 'mine' }));
    cluster.put('clusterspiffeids', web('theirs', { className: 'theirs' }));
    cluster.put('clusterspiffeids', web('nobodys'));
    cluster.put('pods', pod('one'));
    await start({ class_name: 'mine' });
    await become(['/mine/one']);
    expect(statusOf('clusterspiffeids', 'theirs')).toBeUndefined();
  });

  it('changes nothing while the API is away, and makes good afterwards', async () => {
    cluster.put('clusterspiffeids', web('id'));
    for (const name of ['one', 'two']) cluster.put('pods', pod(name));
    await start();
    await become(['/id/one', '/id/two']);
    const before = await entries();
    cluster.broken = true;
    cluster.remove('pods', 'one', 'shop');
    cluster.put('pods', pod('three'));
    await poll(() => JSON.stringify(server.logger.records)).toContain('what is known stays');
    expect(await entries()).toEqual(before);
    // Also a server that starts now knows nothing, and so removes nothing.
    await server.stop();
    await server.startAgain();
    await sleep(50);
    expect((await entries()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    cluster.broken = false;
    await become(['/id/three', '/id/two']);
  });

  it('removes nothing before it knows all kinds, whatever happens to pods', async () => {
    cluster.put('clusterspiffeids', web('id'));
    for (const name of ['one', 'two']) cluster.put('pods', pod(name));
    await start();
    await become(['/id/one', '/id/two']);
    await server.stop();
    cluster.missing.add('clusterspiffeids');
    await server.startAgain();
    await poll(() => JSON.stringify(server.logger.records)).toContain('install the CRDs');
    // Each is seen by its watch, one after the other.
    for (const app of ['web', 'db', 'web', 'db']) {
      cluster.put('pods', pod('one', { labels: { app, step: app } }));
      await sleep(30);
    }
    expect(await paths()).toEqual(['/id/one', '/id/two']);
    cluster.missing.clear();
    await become(['/id/two']);
  });

  it('goes on as before with an object that became unreadable, also after a restart', async () => {
    cluster.put('clusterspiffeids', web('id', {}, { uid: 'same' }));
    cluster.put('pods', pod('one'));
    cluster.put('pods', pod('two'));
    await start();
    await become(['/id/one', '/id/two']);
    cluster.put('clusterspiffeids', web('id', { spiffeIDTemplate: '{{ nonsense }}' }, { uid: 'same', generation: 2 }));
    await poll(() => JSON.stringify(server.logger.records)).toContain('function \\"nonsense\\" is not supported');
    cluster.put('pods', pod('three'));
    await become(['/id/one', '/id/three', '/id/two']);
    await server.stop();
    await server.startAgain();
    cluster.remove('pods', 'one', 'shop');
    cluster.put('pods', pod('four'));
    await become(['/id/three', '/id/two']);
  });

  it('makes relationships and removes those it made', async () => {
    const domain = (name: string): FakeObject =>
      object('ClusterFederatedTrustDomain', name, {
        trustDomain: `${name}.test`,
        bundleEndpointURL: 'https://localhost:1/',
        bundleEndpointProfile: { type: 'https_web' },
      });
    await start();
    const client = server.admin(trustdomainV1.TrustDomain);
    const known = async () =>
      (await client.listFederationRelationships({})).federationRelationships
        .map(({ trustDomain, bundleEndpointUrl }) => `${trustDomain} ${bundleEndpointUrl}`)
        .toSorted();
    const hand = { trustDomain: 'hand.test', bundleEndpointUrl: 'https://hand.test/' };
    const bundleEndpointProfile = { case: 'httpsWeb', value: {} } as const;
    await client.batchCreateFederationRelationship({ federationRelationships: [{ ...hand, bundleEndpointProfile }] });
    for (const name of ['a', 'b', 'hand']) cluster.put('clusterfederatedtrustdomains', domain(name));
    await poll(known).toEqual([
      'a.test https://localhost:1/',
      'b.test https://localhost:1/',
      'hand.test https://hand.test/',
    ]);
    expect(JSON.stringify(server.logger.records)).toContain('a relationship that others made differs');
    for (const name of ['a', 'hand']) cluster.remove('clusterfederatedtrustdomains', name);
    await poll(known).toEqual(['b.test https://localhost:1/', 'hand.test https://hand.test/']);
  });
});
