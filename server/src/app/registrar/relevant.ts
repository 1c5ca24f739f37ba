import type { KubernetesObject } from '@steeple/daemon/kubernetes';
import type { FollowedKind } from './resources.ts';

type Json = Readonly<Record<string, unknown>>;

const META = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'creationTimestamp',
  'deletionTimestamp',
];
const POD_SPEC = [
  'serviceAccountName',
  'serviceAccount',
  'nodeName',
  'nodeSelector',
  'hostname',
  'subdomain',
  'schedulerName',
  'priorityClassName',
  'restartPolicy',
  'dnsPolicy',
  'hostNetwork',
  'hostPID',
  'hostIPC',
];
const NODE_SPEC = ['podCIDR', 'podCIDRs', 'providerID', 'unschedulable'];

/**
 * The part of an object that can change what is registered. The rest is most of it (states, managed fields, volumes), and
 * changes all the time.
 */
export function relevantPart(kind: FollowedKind, object: KubernetesObject): KubernetesObject {
  const { metadata, spec } = object;
  const meta = pick(metadata, META) as unknown as KubernetesObject['metadata'];
  if (kind === 'pods') {
    const containers = (name: string) =>
      asList((spec as Json | undefined)?.[name]).map((one) => pick(one, ['name', 'image']));
    return {
      metadata: meta,
      spec: {
        ...pick(spec, POD_SPEC),
        containers: containers('containers'),
        initContainers: containers('initContainers'),
      },
    };
  }
  if (kind === 'nodes') return { metadata: meta, spec: pick(spec, NODE_SPEC) };
  if (kind === 'namespaces') return { metadata: meta };
  if (kind === 'endpointSlices') {
    const endpoints = asList(object['endpoints']).map((one) => pick(one, ['targetRef']));
    return { metadata: meta, endpoints };
  }
  const { generation } = metadata;
  const { apiVersion, kind: name, status } = object as { apiVersion?: string; kind?: string; status?: unknown };
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(name !== undefined && { kind: name }),
    metadata: { ...meta, ...(generation !== undefined && { generation }) },
    spec,
    status,
  };
}

const pick = (value: unknown, names: readonly string[]): Json => {
  if (typeof value !== 'object' || value === null) return {};
  const from = value as Json;
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined && from[name] !== null).map((name) => [name, from[name]]),
  );
};

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
