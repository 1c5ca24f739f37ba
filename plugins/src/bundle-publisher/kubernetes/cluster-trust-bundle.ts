import type { Logger } from '@steeple/daemon';
import { hasStatus, type KubernetesClient, type ResourceType } from '@steeple/daemon/kubernetes';
import type { TrustBundle } from '@steeple/spiffe';
import { pemOf } from '../format-bundle.ts';
import { FIELD_MANAGER, type KubernetesPlace } from './kubernetes-place.ts';

export interface ClusterTrustBundleOptions {
  /** For messages. */
  readonly cluster: string;
  readonly name: string;
  readonly signerName: string | undefined;
  readonly logger: Logger;
}

/** Newest first. */
const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'];

/** A ClusterTrustBundle, which pods can have projected into a volume. A cluster that has no such thing is told of once. */
export class ClusterTrustBundlePlace implements KubernetesPlace {
  readonly name: string;
  readonly #client: KubernetesClient;
  readonly #options: ClusterTrustBundleOptions;
  #missing = false;

  constructor(client: KubernetesClient, options: ClusterTrustBundleOptions) {
    this.#client = client;
    this.#options = options;
    this.name = `ClusterTrustBundle ${options.name} of ${options.cluster}`;
  }

  async put(bundle: TrustBundle, signal: AbortSignal): Promise<void> {
    for (const version of VERSIONS) {
      if (await this.#applied(version, pemOf(bundle), signal)) {
        this.#missing = false;
        return;
      }
    }
    // The cluster may get it by an upgrade: this is asked again.
    if (!this.#missing)
      this.#options.logger.warn('The cluster does not serve ClusterTrustBundles', { place: this.name });
    this.#missing = true;
  }

  /** False if the cluster does not have this version. */
  async #applied(version: string, trustBundle: string, signal: AbortSignal): Promise<boolean> {
    const { name, signerName } = this.#options;
    const type: ResourceType = {
      group: 'certificates.k8s.io',
      version,
      plural: 'clustertrustbundles',
      namespaced: false,
    };
    const wanted = {
      apiVersion: `certificates.k8s.io/${version}`,
      kind: 'ClusterTrustBundle',
      metadata: { name },
      spec: { ...(signerName !== undefined && { signerName }), trustBundle },
    };
    try {
      await this.#client.patch(
        type,
        { name },
        wanted,
        { kind: 'apply', fieldManager: FIELD_MANAGER, force: true },
        signal,
      );
      return true;
    } catch (error) {
      // Applying makes what is missing, so only the kind itself can be unknown.
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  }
}
