import { join } from 'node:path';
import { systemClock } from '@steeple/daemon';
import { checkValue, parseConfig } from '@steeple/daemon/config';
import { TrustDomain } from '@steeple/spiffe';
import { MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundlePublisherContract } from './bundle-publisher.contract.ts';
import { formatBundle } from './format-bundle.ts';
import { k8sClusterTrustBundlePublisher } from './k8s-cluster-trust-bundle.ts';
import { k8sConfigMapPublisher } from './k8s-configmap.ts';
import { ObjectsApi } from './kubernetes/objects-api.fixture.ts';

let dir: TempDir;
let api: ObjectsApi;
let logger: MemoryLogger;
beforeEach(async () => {
  dir = await tempDir();
  api = await ObjectsApi.open();
  logger = new MemoryLogger();
  await api.kubeconfig(join(dir.path, 'kubeconfig'));
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});
const host = () => ({ clock: systemClock, logger, trustDomain: TrustDomain.parse('example.org') });
const kubeconfig = () => ({ kubeconfig_path: join(dir.path, 'kubeconfig') });
const signal = () => new AbortController().signal;
const fails = (work: () => unknown): string => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return (error as Error).message;
  }
};

const MAPS = ['/api/v1/namespaces/spire/configmaps/one', '/api/v1/namespaces/spire/configmaps/two'];
const configMaps = (format = 'pem') => {
  const place = { namespace: 'spire', configmap_key: 'bundle', format, refresh_hint: '5m', ...kubeconfig() };
  const clusters = { a: { ...place, configmap_name: 'one' }, b: { ...place, configmap_name: 'two' } };
  return k8sConfigMapPublisher.create(checkValue(k8sConfigMapPublisher.schema, { clusters }), host());
};
const inMap = (path: string) => (api.objects.get(path)?.['data'] as Record<string, string> | undefined)?.['bundle'];

describe('k8s_configmap', () => {
  bundlePublisherContract(
    async () => ({
      publisher: await configMaps(),
      read: () => MAPS.map(inMap),
      changes: () => api.changes,
      fail: (failing) => void (failing ? api.failing.set(MAPS[0] ?? '', 403) : api.failing.clear()),
    }),
    (bundle) => formatBundle(bundle, 'pem'),
  );

  it('leaves other keys alone, and says which ConfigMap fails and why', async () => {
    api.put(MAPS[0] ?? '', { data: { other: 'kept' } });
    api.failing.set(MAPS[1] ?? '', 403);
    const { bundle } = await TestTrustDomain.create('example.org');
    const publishing = (await configMaps()).publish(bundle, signal());
    await expect(publishing).rejects.toThrow(
      'the bundle is not in ConfigMap spire/two of cluster "b": the Kubernetes API answered 403',
    );
    expect(api.objects.get(MAPS[0] ?? '')?.['data']).toEqual({ other: 'kept', bundle: formatBundle(bundle, 'pem') });
  });

  it('writes the three formats', async () => {
    const { bundle } = await TestTrustDomain.create('example.org');
    await (await configMaps('SPIFFE')).publish(bundle, signal());
    const spiffe = JSON.parse(inMap(MAPS[0] ?? '') ?? '') as Record<string, unknown>;
    expect(spiffe).toMatchObject({ spiffe_sequence: 1, spiffe_refresh_hint: 300 });
    await (await configMaps('jwks')).publish(bundle, signal());
    const jwks = JSON.parse(inMap(MAPS[0] ?? '') ?? '') as { keys: Record<string, unknown>[] };
    expect(Object.keys(jwks)).toEqual(['keys']);
    expect(jwks.keys.map(({ use, kid, x5c }) => [use, kid !== undefined, x5c !== undefined])).toEqual([
      [undefined, false, true],
      [undefined, true, false],
    ]);
  });

  it('is configured as SPIRE’s users write it', () => {
    const hcl = `clusters = { "x" = { namespace = "n" configmap_name = "c" configmap_key = "k" format = "pem" } }`;
    expect(checkValue(k8sConfigMapPublisher.schema, parseConfig(hcl, 'hcl').value)).toMatchObject({
      clusters: { x: [{ namespace: 'n', format: 'pem' }] },
    });
    const bad = {
      clusters: { x: { namespace: 'n', configmap_name: 'c', configmap_key: 'k', format: 'xml', refresh_hnt: '1m' } },
    };
    expect(fails(() => checkValue(k8sConfigMapPublisher.schema, bad))).toMatch(
      /format: must be one of.*\n.*refresh_hnt: unknown key, did you mean/,
    );
  });

  it('says that it publishes nothing without clusters', async () => {
    const publisher = await k8sConfigMapPublisher.create(checkValue(k8sConfigMapPublisher.schema, {}), host());
    await publisher.publish((await TestTrustDomain.create('example.org')).bundle, signal());
    expect(logger.records).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });
});

const BUNDLES = (version: string) => `/apis/certificates.k8s.io/${version}/clustertrustbundles`;
const trustBundles = (name = 'example.org:svid:bundle') => {
  const clusters = { a: { name, signer_name: 'example.org/svid', ...kubeconfig() } };
  return k8sClusterTrustBundlePublisher.create(checkValue(k8sClusterTrustBundlePublisher.schema, { clusters }), host());
};
const inBundle = (version: string) =>
  api.objects.get(`${BUNDLES(version)}/example.org%3Asvid%3Abundle`)?.['spec'] as Record<string, string> | undefined;

describe('k8s_cluster_trust_bundle', () => {
  bundlePublisherContract(
    async () => ({
      publisher: await trustBundles(),
      read: () => [inBundle('v1')?.['trustBundle']],
      changes: () => api.changes,
      fail: (failing) =>
        void (failing ? api.failing.set(`${BUNDLES('v1')}/example.org%3Asvid%3Abundle`, 403) : api.failing.clear()),
    }),
    (bundle) => formatBundle(bundle, 'pem'),
  );

  it('takes the newest version that the cluster serves, and tells once of one without', async () => {
    const { bundle } = await TestTrustDomain.create('example.org');
    for (const version of ['v1', 'v1beta1', 'v1alpha1']) api.unknown.add(BUNDLES(version));
    const publisher = await trustBundles();
    await publisher.publish(bundle, signal());
    await publisher.publish(bundle, signal());
    expect(logger.records.map(({ message }) => message)).toEqual(['The cluster does not serve ClusterTrustBundles']);
    api.unknown.delete(BUNDLES('v1beta1'));
    await publisher.publish(bundle, signal());
    expect(inBundle('v1beta1')).toEqual({ signerName: 'example.org/svid', trustBundle: formatBundle(bundle, 'pem') });
  });

  it.each([
    ['a signer that its name does not have', { name: 'other:x', signer_name: 'a.b/c' }, 'must begin with "a.b:c:"'],
    ['a signer’s name without one', { name: 'a:b' }, 'must not hold ":"'],
    ['half a signer', { name: 'a', signer_name: 'a' }, 'must be "<domain>/<name>"'],
  ])('refuses %s', (_name, block, message) => {
    const config = { clusters: { x: block } };
    expect(fails(() => checkValue(k8sClusterTrustBundlePublisher.schema, config))).toContain(message);
  });
});
