import { type Case, ensure } from '../../interop/case.ts';
import type { Maker } from '../../interop/spire/maker.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import type { KubernetesObject } from './api-client.ts';
import type { Cluster } from './cluster.ts';

/** The notifier k8sbundle with the same settings at both servers, one after the other. */
export function notifierCase(cluster: Cluster): Case {
  return {
    name: 'k8sbundle: our server and SPIRE’s put the same into ConfigMap, webhooks and API services, also into those that come later',
    run: async () => {
      const site = await Site.open(['nsenter', '-t', `${cluster.namespaces.pid}`, '-n', '--']);
      const objects = [webhook('first'), apiService(), webhook('later')];
      try {
        for (const maker of ['spire', 'steeple'] as const) await keepsFilled(cluster, site, maker);
      } finally {
        for (const object of objects) await cluster.api.delete(object);
        await site.close(false);
      }
    },
  };
}

async function keepsFilled(cluster: Cluster, site: Site, maker: Maker): Promise<void> {
  const { api } = cluster;
  await api.delete(webhook('later'));
  // SPIRE's only fills what is there.
  await api.apply(CONFIG_MAP, webhook('first'), apiService());
  const label = 'steeple.dev/rotate';
  const settings = {
    kube_config_file_path: cluster.kubeconfig,
    namespace: 'default',
    config_map: CONFIG_MAP.metadata.name,
    webhook_label: label,
    api_service_label: label,
  };
  const server = await site.server(maker, { plugins: { Notifier: { k8sbundle: settings } } });
  await holds(cluster, server, webhook('first'), ({ webhooks }) => (webhooks as Hook[]).map(caOf));
  await holds(cluster, server, apiService(), ({ spec }) => [(spec as { caBundle?: string }).caBundle]);
  await holds(cluster, server, CONFIG_MAP, ({ data }) => [base64((data as Texts | undefined)?.['bundle.crt'] ?? '')]);
  await api.apply(webhook('later'));
  await holds(cluster, server, webhook('later'), ({ webhooks }) => (webhooks as Hook[]).map(caOf));
  await server.process.stop();
}

type Texts = Record<string, string>;
type Hook = { readonly clientConfig: { readonly caBundle?: string } };
const caOf = ({ clientConfig }: Hook): string | undefined => clientConfig.caBundle;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function holds(
  cluster: Cluster,
  server: ServerUnit,
  object: KubernetesObject,
  read: (object: KubernetesObject) => readonly (string | undefined)[],
): Promise<void> {
  const own = base64(await server.bundlePem());
  const end = Date.now() + 30_000;
  for (;;) {
    const held = read(await cluster.api.get(object));
    if (held.length > 0 && held.every((each) => each === own)) return;
    if (Date.now() > end) {
      ensure(
        false,
        `the bundle of ${server.maker}'s server in ${object.kind} ${object.metadata.name}, not ${held.join().slice(0, 300)}`,
      );
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

const CONFIG_MAP = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'notified', namespace: 'default' },
};
const LABELS = { 'steeple.dev/rotate': 'true' };

/** Of two hooks that are never called: nothing matches their rules. */
function webhook(name: string): KubernetesObject {
  const hook = (each: string) => ({
    name: `${each}.${name}.steeple.dev`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    clientConfig: { service: { namespace: 'default', name: 'none' } },
    rules: [{ apiGroups: ['none.steeple.dev'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['none'] }],
  });
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name, labels: LABELS },
    webhooks: [hook('one'), hook('two')],
  };
}

function apiService(): KubernetesObject {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.none.steeple.dev', labels: LABELS },
    spec: {
      group: 'none.steeple.dev',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      service: { namespace: 'default', name: 'none' },
    },
  };
}
