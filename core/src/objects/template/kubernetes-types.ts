import { GoStruct, type StructType } from './go-value.ts';

const text = (json: string) => [json, 'text'] as const;
const flag = (json: string) => [json, 'flag'] as const;

const OWNER: StructType = {
  name: 'an owner reference',
  fields: { APIVersion: text('apiVersion'), Kind: text('kind'), Name: text('name'), UID: text('uid') },
};

/** metav1.ObjectMeta. */
const META: StructType = {
  name: 'the metadata of an object',
  fields: {
    Name: text('name'),
    GenerateName: text('generateName'),
    Namespace: text('namespace'),
    UID: text('uid'),
    ResourceVersion: text('resourceVersion'),
    Generation: ['generation', 'number'],
    Labels: ['labels', 'map'],
    Annotations: ['annotations', 'map'],
    OwnerReferences: ['ownerReferences', [OWNER]],
    Finalizers: ['finalizers', 'texts'],
  },
};

const CONTAINER: StructType = {
  name: 'a container',
  fields: {
    Name: text('name'),
    Image: text('image'),
    WorkingDir: text('workingDir'),
    ImagePullPolicy: text('imagePullPolicy'),
  },
};

/** corev1.PodSpec, without what no name is made of. */
const POD_SPEC: StructType = {
  name: 'the specification of a pod',
  fields: {
    ServiceAccountName: text('serviceAccountName'),
    DeprecatedServiceAccount: text('serviceAccount'),
    NodeName: text('nodeName'),
    NodeSelector: ['nodeSelector', 'map'],
    Hostname: text('hostname'),
    Subdomain: text('subdomain'),
    SchedulerName: text('schedulerName'),
    PriorityClassName: text('priorityClassName'),
    RestartPolicy: text('restartPolicy'),
    DNSPolicy: text('dnsPolicy'),
    HostNetwork: flag('hostNetwork'),
    HostPID: flag('hostPID'),
    HostIPC: flag('hostIPC'),
    Containers: ['containers', [CONTAINER]],
    InitContainers: ['initContainers', [CONTAINER]],
  },
};

/** corev1.NodeSpec. */
const NODE_SPEC: StructType = {
  name: 'the specification of a node',
  fields: {
    PodCIDR: text('podCIDR'),
    PodCIDRs: ['podCIDRs', 'texts'],
    ProviderID: text('providerID'),
    Unschedulable: flag('unschedulable'),
  },
};

const NODE_FIELDS: StructType['fields'] = {
  TrustDomain: text('trustDomain'),
  ClusterName: text('clusterName'),
  ClusterDomain: text('clusterDomain'),
  NodeMeta: ['nodeMeta', META],
  NodeSpec: ['nodeSpec', NODE_SPEC],
};
const NODE_DATA: StructType = { name: "what is known of a pod's node", fields: NODE_FIELDS };
const POD_DATA: StructType = {
  name: 'what is known of a pod',
  fields: { ...NODE_FIELDS, PodMeta: ['podMeta', META], PodSpec: ['podSpec', POD_SPEC] },
};

/** Names of the cluster that a template can use. */
export interface ClusterNames {
  readonly trustDomain: string;
  readonly clusterName: string;
  readonly clusterDomain: string;
}

/** A Kubernetes object as its API answers, of which templates read metadata and specification. */
export interface RawObject {
  readonly metadata?: unknown;
  readonly spec?: unknown;
}

/** The data for the parent's template, which sees no pod. */
export const nodeData = (names: ClusterNames, node: RawObject): GoStruct =>
  new GoStruct(NODE_DATA, { ...names, nodeMeta: node.metadata, nodeSpec: node.spec });

/** The data for the templates of a pod. */
export const podData = (names: ClusterNames, node: RawObject, pod: RawObject): GoStruct =>
  new GoStruct(POD_DATA, {
    ...names,
    nodeMeta: node.metadata,
    nodeSpec: node.spec,
    podMeta: pod.metadata,
    podSpec: pod.spec,
  });
