import { CONFIG_MAPS, type KubernetesClient } from '@steeple/daemon/kubernetes';
import type { TrustBundle } from '@steeple/spiffe';
import { FIELD_MANAGER, type KubernetesPlace } from './kubernetes-place.ts';

export interface ConfigMapOptions {
  /** For messages. */
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly format: (bundle: TrustBundle) => string;
}

/** A key of a ConfigMap; its other keys are left alone. It is made if it is missing, where that is allowed. */
export class ConfigMapPlace implements KubernetesPlace {
  readonly name: string;
  readonly #client: KubernetesClient;
  readonly #options: ConfigMapOptions;

  constructor(client: KubernetesClient, options: ConfigMapOptions) {
    this.#client = client;
    this.#options = options;
    this.name = `ConfigMap ${options.namespace}/${options.name} of ${options.cluster}`;
  }

  async put(bundle: TrustBundle, signal: AbortSignal): Promise<void> {
    const { namespace, name, key, format } = this.#options;
    const wanted = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { [key]: format(bundle) },
    };
    const how = { kind: 'apply', fieldManager: FIELD_MANAGER, force: true } as const;
    await this.#client.patch(CONFIG_MAPS, { namespace, name }, wanted, how, signal);
  }
}
