import type { Clock } from '@steeple/daemon';
import { inClusterAccess, KubernetesClient, kubeconfigAccess } from '@steeple/daemon/kubernetes';
import type { TrustBundle } from '@steeple/spiffe';

/** One thing in one cluster that holds the bundle. */
export interface KubernetesPlace {
  /** For people: `ConfigMap spire/spire-bundle of cluster "demo"`. */
  readonly name: string;
  /** @throws {KubernetesError} */
  put(bundle: TrustBundle, signal: AbortSignal): Promise<void>;
  readonly follow?: (current: () => TrustBundle, signal: AbortSignal) => Promise<void>;
}

/** Who manages the fields that we apply. */
export const FIELD_MANAGER = 'steeple';

/** A client for a kubeconfig, or without one for the cluster that this process runs in. */
export function clientFor(kubeconfig: string | undefined, clock: Clock): KubernetesClient {
  return new KubernetesClient({ access: kubeconfig ? kubeconfigAccess(kubeconfig) : inClusterAccess(), clock });
}
