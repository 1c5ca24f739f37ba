import { dedupeSelectors, type Selector } from '@steeple/core';
import { type Clock, ConfigError, type Logger } from '@steeple/daemon';
import { inClusterAccess } from '@steeple/daemon/kubernetes';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { orAborted } from '@steeple/proto/grpc';
import type { PluginDefinition } from '../plugin.ts';
import { type ContainerOfPeer, withContainerOf } from './container/container-of-peer.ts';
import { type K8sConfig, k8sSchema } from './k8s/configuration.ts';
import { findPod } from './k8s/find-pod.ts';
import { KubeletAccess } from './k8s/kubelet-access.ts';
import { KubeletClient } from './k8s/kubelet-client.ts';
import type { KubeletError } from './k8s/kubelet-error.ts';
import { KubeletPods } from './k8s/kubelet-pods.ts';
import { NamespaceLabels } from './k8s/namespace-labels.ts';
import { containerSelectors, namespaceSelectors, podSelectors } from './k8s/pod-selectors.ts';
import { PodView } from './k8s/pod-view.ts';
import type { WorkloadAttestor } from './workload-attestor.ts';

const TYPE = 'k8s';

export interface K8sAttestorOptions {
  readonly config: K8sConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: KubeletAccess;
  /** Undefined where they are no selectors. */
  readonly namespaceLabels: Pick<NamespaceLabels, 'of'> | undefined;
}

/** The pod and container that a process runs in, as the kubelet of this node says. */
export class K8sAttestor implements WorkloadAttestor {
  readonly type = TYPE;
  readonly #options: K8sAttestorOptions;
  readonly #view: PodView;

  constructor(options: K8sAttestorOptions) {
    const { config, clock, logger, access } = options;
    const pods = new KubeletPods(new KubeletClient(access), clock, logger);
    this.#options = options;
    this.#view = new PodView({ list: () => pods.list(), clock, interval: config.poll_retry_interval });
  }

  async attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]> {
    signal.throwIfAborted();
    const values = await withContainerOf(peer, (container) => this.#valuesOf(container, peer, signal));
    return dedupeSelectors((values ?? []).map((value) => ({ type: TYPE, value })));
  }

  async #valuesOf(
    container: ContainerOfPeer,
    peer: PeerCredentials,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    const { config, clock, logger, namespaceLabels } = this.#options;
    if (config.verbose_container_locator_logs) {
      const { containerId: container_id, podUid: pod_uid } = container;
      logger.info('A process was found in a container', { pid: peer.pid, container_id, pod_uid });
    }
    const options = {
      view: this.#view,
      clock,
      maxAge: config.pod_list_max_age,
      interval: config.poll_retry_interval,
      attempts: config.max_poll_attempts,
      podIsEnough: config.disable_container_selectors,
    };
    const found = await findPod(container, options, peer, signal);
    if (found === undefined) return undefined;
    const labels = await orAborted(Promise.resolve(namespaceLabels?.of(found.pod.namespace)), signal);
    return [
      ...podSelectors(found.pod),
      ...(found.container === undefined || config.disable_container_selectors
        ? []
        : containerSelectors(found.container)),
      ...namespaceSelectors(labels ?? {}),
    ];
  }
}

export const k8sAttestor: PluginDefinition<'workload-attestor', K8sConfig> = {
  kind: 'workload-attestor',
  name: TYPE,
  schema: k8sSchema,
  create: async (config, { clock, logger }) => {
    const nodeName = config.node_name ?? process.env[config.node_name_env] ?? '';
    const access = new KubeletAccess(config, nodeName, () => clock.monotonic());
    await access.connection().catch((error: KubeletError) => {
      throw new ConfigError(error.message, { cause: error });
    });
    const namespaceLabels = config.enable_namespace_labels ? new NamespaceLabels(inClusterAccess(), clock) : undefined;
    return new K8sAttestor({ config, clock, logger, access, namespaceLabels });
  },
};
