import { duration, labelledBlocks } from '@steeple/daemon/config';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { BUNDLE_FORMATS, formatBundle } from './format-bundle.ts';
import { ConfigMapPlace } from './kubernetes/config-map.ts';
import { clientFor } from './kubernetes/kubernetes-place.ts';
import { KubernetesPublisher } from './kubernetes/kubernetes-publisher.ts';

const name = z.string().min(1);

const cluster = z.strictObject({
  namespace: name,
  configmap_name: name,
  configmap_key: name,
  format: z.string().toLowerCase().pipe(z.enum(BUNDLE_FORMATS)),
  /** Empty: the cluster that this server runs in. */
  kubeconfig_path: z.string().optional(),
  refresh_hint: duration.optional(),
});

const schema = z.strictObject({
  clusters: labelledBlocks(cluster)
    .refine((given) => Object.values(given).every((blocks) => blocks.length === 1), 'each cluster may stand once')
    .optional(),
});

export const k8sConfigMapPublisher: PluginDefinition<'bundle-publisher', z.infer<typeof schema>> = {
  kind: 'bundle-publisher',
  name: 'k8s_configmap',
  schema,
  create: async ({ clusters = {} }, { clock, logger }) => {
    const made = Object.entries(clusters).flatMap(([id, [block]]) => {
      if (block === undefined) return [];
      const client = clientFor(block.kubeconfig_path, clock);
      const place = new ConfigMapPlace(client, {
        cluster: `cluster "${id}"`,
        namespace: block.namespace,
        name: block.configmap_name,
        key: block.configmap_key,
        format: (bundle) => formatBundle(bundle, block.format, block.refresh_hint),
      });
      return [{ client, place }];
    });
    if (made.length === 0) logger.warn('No clusters configured: k8s_configmap publishes nothing');
    return new KubernetesPublisher(
      made.map(({ place }) => place),
      made.map(({ client }) => client),
    );
  },
};
