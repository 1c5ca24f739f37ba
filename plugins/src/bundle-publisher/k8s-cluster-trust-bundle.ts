import { labelledBlocks } from '@steeple/daemon/config';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { ClusterTrustBundlePlace } from './kubernetes/cluster-trust-bundle.ts';
import { clientFor } from './kubernetes/kubernetes-place.ts';
import { KubernetesPublisher } from './kubernetes/kubernetes-publisher.ts';

const cluster = z
  .strictObject({
    /** Of the object; with a signer it begins with the signer's name and a colon. */
    name: z.string().min(1),
    signer_name: z
      .string()
      .regex(/^[^/]+\/[^/]+$/, 'must be "<domain>/<name>"')
      .optional(),
    /** Empty: the cluster that this server runs in. */
    kubeconfig_path: z.string().optional(),
  })
  .superRefine(({ name, signer_name: signer }, context) => {
    const prefix = signer === undefined ? undefined : `${signer.replace('/', ':')}:`;
    const fits = prefix === undefined ? !name.includes(':') : name.startsWith(prefix);
    if (fits) return;
    const message =
      prefix === undefined
        ? 'must not hold ":" without a signer_name'
        : `must begin with "${prefix}", as its signer says`;
    context.addIssue({ code: 'custom', path: ['name'], message });
  });

const schema = z.strictObject({
  clusters: labelledBlocks(cluster)
    .refine((given) => Object.values(given).every((blocks) => blocks.length === 1), 'each cluster may stand once')
    .optional(),
});

export const k8sClusterTrustBundlePublisher: PluginDefinition<'bundle-publisher', z.infer<typeof schema>> = {
  kind: 'bundle-publisher',
  name: 'k8s_cluster_trust_bundle',
  schema,
  create: async ({ clusters = {} }, { clock, logger }) => {
    const made = Object.entries(clusters).flatMap(([id, [block]]) => {
      if (block === undefined) return [];
      const client = clientFor(block.kubeconfig_path, clock);
      const options = { cluster: `cluster "${id}"`, name: block.name, signerName: block.signer_name, logger };
      return [{ client, place: new ClusterTrustBundlePlace(client, options) }];
    });
    if (made.length === 0) logger.warn('No clusters configured: k8s_cluster_trust_bundle publishes nothing');
    return new KubernetesPublisher(
      made.map(({ place }) => place),
      made.map(({ client }) => client),
    );
  },
};
