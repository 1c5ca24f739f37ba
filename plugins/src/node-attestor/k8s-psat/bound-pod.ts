import { IssuerError } from '@steeple/core';
import { hasStatus, type KubernetesClient, type KubernetesObject, NODES, PODS } from '@steeple/daemon/kubernetes';
import type { BoundToken } from './bound-token.ts';

type Labels = Readonly<Record<string, string>>;

/** Where an agent runs, as the cluster knows it or, without asking, as its token says. */
export interface BoundPod {
  readonly nodeName: string;
  readonly nodeUid: string;
  readonly nodeLabels: Labels;
  readonly podLabels: Labels;
  /** Undefined if not known. */
  readonly nodeIp: string | undefined;
  /** Of the pod and its node. */
  readonly addresses: readonly string[];
}

/**
 * Looks the token's pod and its node up.
 *
 * @throws {IssuerError} `permission-denied` if that pod is gone, has ended, or is not what the token says; KubernetesError
 */
export async function lookUp(client: KubernetesClient, token: BoundToken, signal: AbortSignal): Promise<BoundPod> {
  const { namespace, podName, podUid, node: claimed } = token;
  const pod = await client
    .get(PODS, { namespace, name: podName }, signal)
    .catch((cause) => gone(cause, `pod "${podName}" does not exist any more`));
  if (pod.metadata.uid !== podUid) {
    refuse(`pod UID mismatch for pod "${podName}": token bound to pod UID "${podUid}"`);
  }
  const { spec, status } = partsOf(pod);
  if (textOf(spec, 'serviceAccountName') !== token.serviceAccount) {
    refuse(`pod "${podName}" has another service account than its token`);
  }
  const phase = textOf(status, 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') refuse(`pod "${podName}" has ended`);
  const nodeName = textOf(spec, 'nodeName') ?? refuse(`pod "${podName}" is on no node`);
  const node = await client
    .get(NODES, { name: nodeName }, signal)
    .catch((cause) => gone(cause, `node "${nodeName}" does not exist any more`));
  const nodeUid = node.metadata.uid || refuse(`node "${nodeName}" has no UID`);
  // A node of the same name that was made anew is another node.
  if (claimed && (claimed.name !== nodeName || claimed.uid !== nodeUid)) {
    refuse(`pod "${podName}" is on another node than its token says`);
  }
  const nodeIp = textOf(status, 'hostIP');
  return {
    nodeName,
    nodeUid,
    nodeLabels: node.metadata.labels ?? {},
    podLabels: pod.metadata.labels ?? {},
    nodeIp,
    addresses: [nodeIp, textOf(status, 'podIP'), ...listOf(status, 'hostIPs'), ...listOf(status, 'podIPs')].filter(
      (address) => address !== undefined,
    ),
  };
}

/**
 * The same from the token alone, without labels and addresses.
 *
 * @throws {IssuerError} `permission-denied` if the token does not name its node
 */
export function asClaimed({ node }: BoundToken): BoundPod {
  const { name, uid } =
    node ?? refuse('the token does not name its node: the cluster must be Kubernetes 1.32 or newer');
  return { nodeName: name, nodeUid: uid, nodeLabels: {}, podLabels: {}, nodeIp: undefined, addresses: [] };
}

type Json = Readonly<Record<string, unknown>>;

function partsOf(pod: KubernetesObject): { readonly spec: Json; readonly status: Json } {
  return { spec: (pod['spec'] ?? {}) as Json, status: (pod['status'] ?? {}) as Json };
}

function textOf(object: Json, field: string): string | undefined {
  const value = object[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `[{"ip": "…"}…]` */
function listOf(status: Json, field: string): readonly (string | undefined)[] {
  const list = status[field];
  return Array.isArray(list) ? list.map((one) => textOf((one ?? {}) as Json, 'ip')) : [];
}

function gone(cause: unknown, reason: string): never {
  if (hasStatus(cause, 404)) refuse(reason);
  throw cause;
}

function refuse(reason: string): never {
  throw new IssuerError('permission-denied', reason);
}
