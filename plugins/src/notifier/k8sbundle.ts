import { oneOrMany } from '@steeple/daemon/config';
import type { KubernetesClient } from '@steeple/daemon/kubernetes';
import { z } from 'zod';
import { pemOf } from '../bundle-publisher/format-bundle.ts';
import { ConfigMapPlace } from '../bundle-publisher/kubernetes/config-map.ts';
import { clientFor, type KubernetesPlace } from '../bundle-publisher/kubernetes/kubernetes-place.ts';
import { KubernetesPublisher } from '../bundle-publisher/kubernetes/kubernetes-publisher.ts';
import type { PluginDefinition, PluginHost } from '../plugin.ts';
import { API_SERVICES, CaBundlesPlace, type CaHolder, WEBHOOKS } from './k8sbundle/ca-bundles.ts';

/** Empty means unset, as in SPIRE. */
const text = z
  .string()
  .optional()
  .transform((value) => value || undefined);
const CLUSTER = {
  namespace: text,
  config_map: text,
  config_map_key: text,
  webhook_label: text,
  api_service_label: text,
  kube_config_file_path: text,
};
const cluster = z.strictObject({ ...CLUSTER, kube_config_file_path: z.string().min(1) });
const schema = z.strictObject({ ...CLUSTER, clusters: oneOrMany(cluster) });

type Config = z.infer<typeof schema>;
type ClusterConfig = Omit<Config, 'clusters'>;

export const k8sbundleNotifier: PluginDefinition<'notifier', Config> = {
  kind: 'notifier',
  name: 'k8sbundle',
  schema,
  create: async ({ clusters, ...own }, host) => {
    // Without other clusters, or with anything of its own, the cluster at the top is meant as well.
    const withOwn = clusters.length === 0 || Object.values(own).some((value) => value !== undefined);
    const all = [...(withOwn ? [own] : []), ...clusters];
    const clients = all.map((one) => clientFor(one.kube_config_file_path, host.clock));
    const places = all.flatMap((one, index) => placesOf(one, clients[index] as KubernetesClient, host));
    return new KubernetesPublisher(places, clients);
  },
};

function placesOf(config: ClusterConfig, client: KubernetesClient, host: PluginHost): readonly KubernetesPlace[] {
  const cluster =
    config.kube_config_file_path === undefined ? 'this cluster' : `the cluster of ${config.kube_config_file_path}`;
  const configMap = new ConfigMapPlace(client, {
    cluster,
    namespace: config.namespace ?? 'spire',
    name: config.config_map ?? 'spire-bundle',
    key: config.config_map_key ?? 'bundle.crt',
    format: pemOf,
  });
  const labelled = (label: string | undefined, holders: readonly CaHolder[]) =>
    label === undefined
      ? []
      : holders.map((holder) => new CaBundlesPlace(client, { holder, label, cluster, random01: Math.random, ...host }));
  return [
    configMap,
    ...labelled(config.webhook_label, WEBHOOKS),
    ...labelled(config.api_service_label, [API_SERVICES]),
  ];
}
