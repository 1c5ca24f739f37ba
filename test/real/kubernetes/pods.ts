// Pods for cases: from the busybox image, or with the machine's programs and this checkout mounted.
import { dirname, resolve } from 'node:path';
import type { ApiClient, KubernetesObject } from './api-client.ts';

/** This checkout; pods see it at the same place. */
export const CHECKOUT = resolve(import.meta.dirname, '../../..');

export interface Pod extends KubernetesObject {
  readonly spec: Record<string, unknown>;
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly image: string;
  readonly imageID: string;
  readonly state?: { readonly running?: object };
}

export interface PodOptions {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** By default a command that never ends. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders and files of the machine, at the same place in the pod; read-only if they end in `:ro`. */
  readonly mounts?: readonly string[];
  /** More of the container. */
  readonly container?: Readonly<Record<string, unknown>>;
  /** More of the pod's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A pod of one container `main`. */
export function podOf(name: string, options: PodOptions = {}): KubernetesObject {
  const mounts = (options.mounts ?? []).map((mount) => ({
    path: mount.replace(/:ro$/, ''),
    readOnly: mount.endsWith(':ro'),
  }));
  const main = {
    name: 'main',
    image: 'busybox:1',
    command: options.command ?? ['sleep', '1000000'],
    env: Object.entries(options.env ?? {}).map(([key, value]) => ({ name: key, value })),
    volumeMounts: mounts.map(({ path, readOnly }, index) => ({ name: `m${index}`, mountPath: path, readOnly })),
    ...options.container,
  };
  const volumes = mounts.map(({ path }, index) => ({ name: `m${index}`, hostPath: { path } }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: options.namespace ?? 'default', labels: options.labels ?? {} },
    spec: { terminationGracePeriodSeconds: 0, containers: [main], volumes, ...options.spec },
  };
}

/** What a pod mounts to run Node with files of this checkout: `command: [process.execPath, …]`. */
export function nodeMounts(): readonly string[] {
  const node = dirname(process.execPath);
  const own = ['/usr', CHECKOUT].some((folder) => node.startsWith(`${folder}/`)) ? [] : [`${node}:ro`];
  return ['/usr:ro', `${CHECKOUT}:ro`, ...own];
}

/** Creates the pod anew and waits until it is Ready. */
export async function createPod(api: ApiClient, pod: KubernetesObject, seconds = 60): Promise<Pod> {
  await api.apply(pod);
  return await podWhen(api, pod, 'is Ready', isReady, seconds);
}

export async function podWhen(
  api: ApiClient,
  pod: KubernetesObject,
  what: string,
  wanted: (pod: Pod) => boolean,
  seconds = 60,
): Promise<Pod> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const now = await api.find<Pod>(pod);
    if (now !== undefined && wanted(now)) return now;
    if (Date.now() > end)
      throw new Error(`pod ${pod.metadata.name}: not ${what} after ${seconds} s: ${JSON.stringify(now?.status)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

export function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** A Deployment whose pods are like this one. */
export function deploymentOf(pod: KubernetesObject, replicas = 1): KubernetesObject {
  const { name, namespace, labels } = pod.metadata;
  const { spec } = pod;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: namespace ?? 'default' },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

/** The pods of a Deployment, when all are Ready. */
export async function podsOf(api: ApiClient, deployment: KubernetesObject, seconds = 60): Promise<readonly Pod[]> {
  const { replicas, selector } = deployment['spec'] as { replicas: number; selector: { matchLabels: object } };
  const labels = Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const path = `/api/v1/namespaces/${deployment.metadata.namespace}/pods?labelSelector=${encodeURIComponent(labels.join())}`;
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const { items } = await api.call<{ items: Pod[] }>('GET', path);
    if (items.length === replicas && items.every(isReady))
      return items.map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
    if (Date.now() > end) throw new Error(`${deployment.metadata.name}: not Ready after ${seconds} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
