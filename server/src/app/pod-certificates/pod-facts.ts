import {
  type AgentRecord,
  type ClusterNames,
  isBanned,
  renderParent,
  type Selector,
  type Template,
} from '@steeple/core';
import {
  hasStatus,
  type KubernetesClient,
  type KubernetesObject,
  NODES,
  type ObjectRef,
  PODS,
  type ResourceType,
} from '@steeple/daemon/kubernetes';
import { type AgentStore, namespaceSelectors, podOf, podSelectors } from '@steeple/plugins';
import { FOLLOWED } from '../registrar/resources.ts';
import { Denial, type PodCertificateRequest } from './pod-certificate-request.ts';

export interface PodFactsParts {
  readonly client: KubernetesClient;
  readonly agents: Pick<AgentStore, 'get'>;
  readonly cluster: ClusterNames;
  /** What the agent on a node is called. */
  readonly parent: Template;
}

/** Who a pod is, as an agent on its node would say. */
export interface PodFacts {
  readonly agent: Pick<AgentRecord, 'id' | 'selectors'>;
  readonly selectors: readonly Selector[];
  /** Which of several identities it wants, by the hint of its entry. */
  readonly hint: string | undefined;
}

/** With this annotation a pod names the hint of the entry it wants. */
const HINT_ANNOTATION = 'steeple.dev/svid-hint';
/** Told from what runs; nothing runs before the certificate is there. */
const OF_RUNNING = /^pod-(?:init-)?image(?:-count)?:/;

/**
 * Asks the API for the pod and its node, now, and holds the request against them.
 *
 * @throws {Denial} when they are not what the request says; KubernetesError when the API does not answer
 */
export async function findPodFacts(
  request: PodCertificateRequest,
  { client, agents, cluster, parent }: PodFactsParts,
  signal: AbortSignal,
): Promise<PodFacts> {
  const { namespace, podName, podUid, nodeName, nodeUid, serviceAccountName } = request;
  const pod = await find(client, PODS, { namespace, name: podName }, signal);
  const facts = podOf(pod);
  requireSame('pod', podUid, facts.uid);
  requireSame('node of the pod', nodeName, facts.nodeName);
  requireSame('service account of the pod', serviceAccountName, facts.serviceAccount);
  const { phase } = (pod['status'] ?? {}) as { phase?: unknown };
  if (phase === 'Succeeded' || phase === 'Failed') throw new Denial('PodEnded', 'the pod has ended');
  const node = await find(client, NODES, { name: nodeName }, signal);
  requireSame('node', nodeUid, node.metadata.uid ?? '');
  const space = await find(client, FOLLOWED.namespaces, { name: namespace }, signal);
  const id = renderParent(parent, cluster, node);
  const known = await agents.get(id);
  if (known && isBanned(known)) throw new Denial('AgentBanned', `the agent of node ${nodeName} is banned`);
  const values = [
    ...podSelectors(facts).filter((value) => !OF_RUNNING.test(value)),
    ...namespaceSelectors(space.metadata.labels ?? {}),
  ];
  return {
    agent: known ?? { id, selectors: nodeSelectors(cluster.clusterName, node) },
    selectors: values.map((value) => ({ type: 'k8s', value })),
    hint: pod.metadata.annotations?.[HINT_ANNOTATION],
  };
}

/** What k8s_psat would find out about the node itself, for nodes without an agent. */
const nodeSelectors = (cluster: string, { metadata: { name, uid } }: KubernetesObject): readonly Selector[] =>
  [`cluster:${cluster}`, `agent_node_name:${name}`, `agent_node_uid:${uid}`].map((value) => ({
    type: 'k8s_psat',
    value,
  }));

const find = async (
  client: KubernetesClient,
  type: ResourceType,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<KubernetesObject> => {
  try {
    return await client.get(type, ref, signal);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    throw new Denial('NotFound', `there is no ${ref.name} among the ${type.plural}`);
  }
};

const requireSame = (what: string, asked: string, found: string): void => {
  if (asked === found) return;
  throw new Denial('NotThePod', `the ${what} is ${JSON.stringify(found)}, not ${JSON.stringify(asked)}`);
};
