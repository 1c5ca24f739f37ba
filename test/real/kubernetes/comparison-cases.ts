import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, ensure } from '../../interop/case.ts';
import { type Agents, spireSelectors } from './agents.ts';
import { attested, pidOf } from './attested.ts';
import type { Cluster } from './cluster.ts';
import { createPod, deploymentOf, isReady, type Pod, podOf, podsOf, podWhen } from './pods.ts';

interface Started {
  readonly pod: Pod;
  readonly container?: string;
  /** Unless the pod can just be deleted. */
  readonly end?: () => Promise<void>;
}

/** The same process as seen by SPIRE's agent and by the attestor of ours. */
export function comparisonCases(cluster: Cluster, agents: () => Promise<Agents>): readonly Case[] {
  const compared = (name: string, start: (agents: Agents) => Promise<Started>): Case => ({
    name: `SPIRE’s agent tells the same selectors: ${name}`,
    run: async () => {
      const both = await agents();
      const { pod, container, end = () => cluster.api.delete(pod) } = await start(both);
      await sameSelectors(cluster, both, pod, container);
      await end();
    },
  });
  const asking = (both: Agents) => ({ command: both.watch(both.spires), mounts: both.mounts });
  return [
    compared('a pod with labels, limits and a user', async (both) => {
      const resources = { limits: { cpu: '100m', memory: '64Mi' } };
      const container = { resources, securityContext: { runAsUser: 1000 } };
      const labels = { 'app.kubernetes.io/name': 'compared', empty: '' };
      return { pod: await createPod(cluster.api, podOf('compared', { ...asking(both), labels, container })) };
    }),
    compared('a pod of a Deployment', async (both) => {
      const deployment = deploymentOf(podOf('compared-set', { ...asking(both), labels: { app: 'set' } }));
      await cluster.api.apply(deployment);
      const [pod] = await podsOf(cluster.api, deployment);
      ensure(pod !== undefined, 'a pod of the Deployment');
      return { pod, end: () => cluster.api.delete(deployment) };
    }),
    compared('the second of two containers', async (both) => {
      const { command, mounts } = asking(both);
      const quiet = podOf('two', { mounts });
      const { containers, ...spec } = quiet['spec'] as { containers: object[] };
      const second = { ...containers[0], name: 'second', command };
      const pod = await createPod(cluster.api, { ...quiet, spec: { ...spec, containers: [...containers, second] } });
      return { pod, container: 'second' };
    }),
    compared('an init container, before the others', async (both) => {
      const { command, mounts } = asking(both);
      const quiet = podOf('init', { mounts });
      const { containers, ...spec } = quiet['spec'] as { containers: object[] };
      const first = { ...containers[0], name: 'first', command };
      await cluster.api.apply({ ...quiet, spec: { ...spec, containers, initContainers: [first] } });
      const runs = ({ status }: Pod) => status.initContainerStatuses?.[0]?.state?.running !== undefined;
      return { pod: await podWhen(cluster.api, quiet, 'has begun', runs), container: 'first' };
    }),
    compared('a static pod', async (both) => {
      const { metadata, ...pod } = podOf('static', { ...asking(both), labels: { kind: 'static' } });
      const file = join(cluster.manifests, 'static.json');
      await writeFile(file, JSON.stringify({ ...pod, metadata }));
      const mirror = { ...pod, metadata: { ...metadata, name: `static-${cluster.nodeName}` } };
      return { pod: await podWhen(cluster.api, mirror, 'is Ready', isReady), end: () => rm(file) };
    }),
    compared('a pod in the node’s own network and processes', async (both) => {
      const spec = { hostNetwork: true, hostPID: true };
      return { pod: await createPod(cluster.api, podOf('of-the-node', { ...asking(both), spec })) };
    }),
  ];
}

async function sameSelectors(cluster: Cluster, agents: Agents, pod: Pod, container = 'main'): Promise<void> {
  const pid = await pidOf(cluster, pod, container);
  const theirs = (await spireSelectors(agents.spires, pid)).toSorted();
  const { selectors, error } = await attested(cluster, agents.kubelet, pid);
  ensure(theirs.length > 10, `selectors of SPIRE's for pid ${pid}, not ${theirs.length}`);
  const ours = (selectors ?? [error ?? '']).toSorted();
  const lacking = theirs.filter((value) => !ours.includes(value));
  const extra = ours.filter((value) => !theirs.includes(value));
  ensure(
    lacking.length + extra.length === 0,
    `no difference: ours lacks ${lacking.join()}, has besides ${extra.join()}`,
  );
}
