import { type Case, ensure } from '../../interop/case.ts';
import type { Cluster } from './cluster.ts';
import { createPod, nodeMounts, podOf } from './pods.ts';

/** That the cluster is what the other cases take it for. */
export function clusterCases(cluster: Cluster): readonly Case[] {
  return [
    {
      name: 'a pod runs with the machine’s Node and a Service account, and its image has a digest',
      run: async () => {
        const script = 'setInterval(() => {}, 1e6)';
        const options = { mounts: nodeMounts(), command: [process.execPath, '-e', script] };
        const pod = await createPod(cluster.api, podOf('plain', options));
        const [status] = pod.status.containerStatuses ?? [];
        ensure(
          /@sha256:[0-9a-f]{64}$/.test(status?.imageID ?? ''),
          `an image id with a digest, not ${status?.imageID}`,
        );
        const token = '/var/run/secrets/kubernetes.io/serviceaccount/token';
        const output = await cluster.kubectl(['exec', 'plain', '--', 'cat', token]);
        ensure(output.split('.').length === 3, 'a token in the pod');
        await cluster.api.delete(pod);
      },
    },
  ];
}
