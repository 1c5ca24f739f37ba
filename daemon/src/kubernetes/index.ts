export { KubernetesClient, type KubernetesClientOptions, type PatchKind } from './client.ts';
export type { KubernetesAccess, KubernetesConnection } from './connection.ts';
export { type Followed, type FollowOptions, follow } from './follow.ts';
export { inClusterAccess } from './in-cluster.ts';
export { kubeconfigAccess } from './kubeconfig.ts';
export { hasStatus, KubernetesError, type KubernetesErrorCode } from './kubernetes-error.ts';
export {
  CONFIG_MAPS,
  type KubernetesObject,
  NODES,
  type ObjectMeta,
  type ObjectRef,
  PODS,
  type ResourceType,
  type Scope,
} from './resource.ts';
export type { WatchEvent } from './watch-events.ts';
