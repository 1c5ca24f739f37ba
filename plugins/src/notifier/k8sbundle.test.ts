import { join } from 'node:path';
import { systemClock } from '@steeple/daemon';
import { checkValue, parseConfig } from '@steeple/daemon/config';
import { type TrustBundle, TrustDomain } from '@steeple/spiffe';
import { MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundlePublisherContract } from '../bundle-publisher/bundle-publisher.contract.ts';
import { pemOf } from '../bundle-publisher/format-bundle.ts';
import { ObjectsApi } from '../bundle-publisher/kubernetes/objects-api.fixture.ts';
import { k8sbundleNotifier } from './k8sbundle.ts';

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

const MAP = '/api/v1/namespaces/spire/configmaps/spire-bundle';
const HOOK = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook';
const SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.org';
const signal = () => new AbortController().signal;
const open = (more: object = {}) => {
  const config = { kube_config_file_path: join(dir.path, 'kubeconfig'), ...more };
  const host = { clock: systemClock, logger, trustDomain: TrustDomain.parse('example.org') };
  return k8sbundleNotifier.create(checkValue(k8sbundleNotifier.schema, config), host);
};
const aBundle = async () => (await TestTrustDomain.create('example.org')).bundle;
const base64 = (bundle: TrustBundle) => Buffer.from(pemOf(bundle)).toString('base64');
const hook = (label = 'true', ca?: string) => ({
  metadata: { labels: { rotate: label } },
  webhooks: [
    { name: 'a', clientConfig: { service: { name: 's' } } },
    { name: 'b', clientConfig: { caBundle: ca } },
  ],
});
const caBundles = (path: string) =>
  ((api.objects.get(path)?.['webhooks'] ?? []) as { clientConfig: { caBundle?: string } }[]).map(
    ({ clientConfig }) => clientConfig.caBundle,
  );

describe('k8sbundle', () => {
  bundlePublisherContract(
    async () => ({
      publisher: await open(),
      read: () => [(api.objects.get(MAP)?.['data'] as Record<string, string> | undefined)?.['bundle.crt']],
      changes: () => api.changes,
      fail: (failing) => void (failing ? api.failing.set(MAP, 500) : api.failing.clear()),
    }),
    pemOf,
  );

  it('fills the labelled webhooks and API services, and touches no other', async () => {
    const bundle = await aBundle();
    api.put(HOOK, hook());
    api.put(HOOK.replace('validating', 'mutating'), hook());
    api.put(`${HOOK}-foreign`, hook('false', 'mine'));
    api.put(SERVICE, { metadata: { labels: { rotate: 'true' } }, spec: { group: 'example.org' } });
    const notifier = await open({ webhook_label: 'rotate', api_service_label: 'rotate' });
    await notifier.publish(bundle, signal());
    expect(caBundles(HOOK)).toEqual([base64(bundle), base64(bundle)]);
    expect(caBundles(HOOK.replace('validating', 'mutating'))).toEqual([base64(bundle), base64(bundle)]);
    expect(caBundles(`${HOOK}-foreign`)).toEqual([undefined, 'mine']);
    expect(api.objects.get(SERVICE)?.['spec']).toEqual({ group: 'example.org', caBundle: base64(bundle) });
    expect(api.objects.get(HOOK)?.['webhooks']).toMatchObject([
      { clientConfig: { service: { name: 's' } } },
      { name: 'b' },
    ]);
    const before = api.changes;
    await notifier.publish(bundle, signal());
    expect(api.changes).toBe(before);
  });

  it('looks again when a webhook was changed meanwhile, and gives up when it always is', async () => {
    const bundle = await aBundle();
    api.put(HOOK, hook());
    let changes = 0;
    api.beforePatch = (path) => {
      if (path !== HOOK || changes > 0) return;
      changes += 1;
      api.put(HOOK, { ...hook(), webhooks: [{ name: 'new', clientConfig: {} }, ...hook().webhooks] });
    };
    const notifier = await open({ webhook_label: 'rotate' });
    await notifier.publish(bundle, signal());
    expect(caBundles(HOOK)).toEqual([base64(bundle), base64(bundle), base64(bundle)]);
    api.beforePatch = () => api.put(HOOK, hook());
    await expect(notifier.publish(await aBundle(), signal())).rejects.toThrow(
      'validatingwebhookconfigurations labelled rotate=true',
    );
  });

  it('fills what comes later', async () => {
    const bundle = await aBundle();
    const notifier = await open({ webhook_label: 'rotate' });
    const stop = new AbortController();
    const following = notifier.follow?.(() => bundle, stop.signal);
    await vi.waitFor(() => expect(api.watching).toBe(2));
    api.put(HOOK, hook());
    await vi.waitFor(() => expect(caBundles(HOOK)).toEqual([base64(bundle), base64(bundle)]));
    stop.abort();
    await following;
  });

  it('is configured as SPIRE’s users write it, for one cluster or many', async () => {
    const hcl = `webhook_label = "x" clusters = [{ kube_config_file_path = "/a" namespace = "n" }, { kube_config_file_path = "/b" }]`;
    expect(checkValue(k8sbundleNotifier.schema, parseConfig(hcl, 'hcl').value)).toMatchObject({
      webhook_label: 'x',
      clusters: [{ namespace: 'n' }, { kube_config_file_path: '/b' }],
    });
    expect(() => checkValue(k8sbundleNotifier.schema, { clusters: [{ namespace: 'n' }] })).toThrow(
      'clusters.0.kube_config_file_path: is required',
    );
    expect(() => checkValue(k8sbundleNotifier.schema, { configmap: 'n' })).toThrow('did you mean "config_map"?');
    // Only the clusters of the list, unless something is said of the own one.
    const listed = {
      kube_config_file_path: undefined,
      clusters: [{ kube_config_file_path: join(dir.path, 'kubeconfig'), config_map: 'c' }],
    };
    await (await open(listed)).publish(await aBundle(), signal());
    expect([...api.objects.keys()]).toEqual([MAP.replace('spire-bundle', 'c')]);
  });
});
