import type { types } from '@steeple/proto/server-api';
import { type Case, ensure } from '../../interop/case.ts';
import { Agents } from './agents.ts';
import type { Cluster } from './cluster.ts';
import { comparisonCases } from './comparison-cases.ts';
import { identitiesOf, nothingFor } from './fetched.ts';
import { kubeletCases } from './kubelet-cases.ts';
import { podFaultCases } from './pod-fault-cases.ts';
import { createPod, deploymentOf, type Pod, podOf, podsOf } from './pods.ts';

/** Workloads in pods, attested by the kubelet's word. `cleanUp` ends what the cases share. */
export function attestorCases(cluster: Cluster, cleanUp: AsyncDisposableStack): readonly Case[] {
  let started: Promise<Agents> | undefined;
  const agents = (): Promise<Agents> => {
    started ??= Agents.start(cluster).then((each) => cleanUp.use(each));
    return started;
  };
  return [
    {
      name: 'a workload gets its SVIDs through a hostPath socket, one by each kind of selector, and no other',
      run: async () => byEachSelector(cluster, await agents()),
    },
    {
      name: 'a pod that no entry is for gets nothing',
      run: async () => othersGetNothing(cluster, await agents()),
    },
    ...comparisonCases(cluster, agents),
    ...kubeletCases(cluster, agents),
    ...podFaultCases(cluster, agents),
  ];
}

const NAMESPACE = 'shop';

async function byEachSelector(cluster: Cluster, agents: Agents): Promise<void> {
  const { api } = cluster;
  await api.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: NAMESPACE } },
  );
  const prepare = { name: 'prepare', image: 'busybox:1', command: ['true'] };
  const template = podOf('web', {
    namespace: NAMESPACE,
    labels: { app: 'web', tier: 'a.b_c' },
    mounts: agents.mounts,
    spec: { serviceAccountName: 'web', initContainers: [prepare] },
  });
  const spec = template['spec'] as { containers: object[] };
  const containers = [...spec.containers, { ...spec.containers[0], name: 'side' }];
  const deployment = deploymentOf({ ...template, spec: { ...spec, containers } });
  await api.apply(deployment);
  const [pod] = await podsOf(api, deployment);
  ensure(pod !== undefined, 'a pod of the Deployment');
  const has = selectorsOf(pod);
  const hasNot = [
    'ns:default',
    'sa:default',
    'node-name:node2',
    'pod-name:web',
    'pod-uid:00000000-0000-0000-0000-000000000000',
    'pod-label:app:shop',
    'pod-owner:Deployment:web',
    'pod-image-count:1',
    'pod-init-image-count:0',
    'container-name:side',
    'container-name:prepare',
    'container-image:docker.io/library/pause:1',
  ];
  const { server, ours } = agents;
  const idOf = (kind: string, index: number) => server.id(`/${kind}/${index}`);
  const entries: types.Entry[] = [];
  const create = async (id: string, values: readonly string[]) =>
    entries.push(
      await server.createEntry(
        id,
        ours.id,
        values.map((value) => `k8s:${value}`),
      ),
    );
  for (const [index, value] of has.entries()) await create(idOf('has', index), [value]);
  for (const [index, value] of hasNot.entries()) await create(idOf('has-not', index), [value]);
  await create(server.id('/all'), has);
  await create(server.id('/side'), ['container-name:side', 'sa:web']);
  const expected = [...has.keys()].map((index) => idOf('has', index));
  await identitiesOf(cluster, agents, pod, 'main', [...expected, server.id('/all')]);
  const inSide = has.flatMap((value, index) => (value === 'container-name:main' ? [] : [idOf('has', index)]));
  const sides = hasNot.flatMap((value, index) => (value === 'container-name:side' ? [idOf('has-not', index)] : []));
  await identitiesOf(cluster, agents, pod, 'side', [...inSide, ...sides, server.id('/side')]);
  for (const { id } of entries) await server.deleteEntry(id);
  await api.delete(deployment);
}

/** From the API, by the documentation. */
function selectorsOf({ metadata, spec, status }: Pod): readonly string[] {
  const { labels = {}, ownerReferences = [] } = metadata as {
    readonly labels?: Record<string, string>;
    readonly ownerReferences?: readonly { kind: string; name: string; uid: string }[];
  };
  const [main] = status.containerStatuses ?? [];
  const [init] = status.initContainerStatuses ?? [];
  return [
    `ns:${metadata.namespace}`,
    `sa:${String(spec['serviceAccountName'])}`,
    `node-name:${String(spec['nodeName'])}`,
    `pod-name:${metadata.name}`,
    `pod-uid:${metadata.uid}`,
    ...Object.entries(labels).map(([key, value]) => `pod-label:${key}:${value}`),
    ...ownerReferences.map(({ kind, name }) => `pod-owner:${kind}:${name}`),
    ...ownerReferences.map(({ kind, uid }) => `pod-owner-uid:${kind}:${uid}`),
    'pod-image-count:2',
    'pod-init-image-count:1',
    ...[main?.image, main?.imageID].flatMap((image) => [`pod-image:${image}`, `container-image:${image}`]),
    ...[init?.image, init?.imageID].map((image) => `pod-init-image:${image}`),
    'container-name:main',
  ];
}

async function othersGetNothing(cluster: Cluster, agents: Agents): Promise<void> {
  const { server, ours } = agents;
  const entry = await server.createEntry(server.id('/wanted'), ours.id, ['k8s:ns:shop', 'k8s:pod-label:app:other']);
  const pod = await createPod(cluster.api, podOf('other', { labels: { app: 'other' }, mounts: agents.mounts }));
  await nothingFor(cluster, agents, pod);
  await server.deleteEntry(entry.id);
  await cluster.api.delete(pod);
}
