import { IssuerError } from '@steeple/core';
import type { KubernetesClient } from '@steeple/daemon/kubernetes';
import type { TrustBundle } from '@steeple/spiffe';
import type { BundlePublisher } from '../bundle-publisher.ts';
import type { KubernetesPlace } from './kubernetes-place.ts';

/** Publishes to places in clusters. */
export class KubernetesPublisher implements BundlePublisher {
  readonly #places: readonly KubernetesPlace[];
  readonly #clients: readonly KubernetesClient[];

  constructor(places: readonly KubernetesPlace[], clients: readonly KubernetesClient[]) {
    this.#places = places;
    this.#clients = clients;
  }

  async publish(bundle: TrustBundle, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const puts = await Promise.allSettled(this.#places.map((place) => place.put(bundle, signal)));
    signal.throwIfAborted();
    const failures = this.#places.flatMap(({ name }, index) => {
      const put = puts[index];
      return put?.status === 'rejected' ? [`${name}: ${(put.reason as Error).message}`] : [];
    });
    if (failures.length > 0) throw new IssuerError('unavailable', `the bundle is not in ${failures.join('; nor in ')}`);
  }

  async follow(current: () => TrustBundle, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#places.map(async (place) => place.follow?.(current, signal)));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
  }
}
