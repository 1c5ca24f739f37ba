import type { BundleSet, BundleSource, RevocationList, TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { WatchEvent } from '../workload-api/watch.ts';
import type { WorkloadApiClient } from '../workload-api/workload-api-client.ts';
import { LiveSource, type SourceOptions } from './live-source.ts';

type Watch = (client: WorkloadApiClient, signal: AbortSignal) => AsyncIterable<WatchEvent<BundleSet>>;

/**
 * Bundles as the Workload API states them, always the newest, for a process that only verifies. Each kind authenticates its
 * own kind of SVID and nothing else.
 */
export class WorkloadBundleSource extends LiveSource<BundleSet> implements BundleSource {
  /** For verifying X509-SVIDs. */
  static async openX509(options: SourceOptions = {}): Promise<WorkloadBundleSource> {
    return WorkloadBundleSource.#open(options, (client, signal) => client.watchX509Bundles(signal));
  }

  /** For verifying JWT-SVIDs. */
  static async openJwt(options: SourceOptions = {}): Promise<WorkloadBundleSource> {
    return WorkloadBundleSource.#open(options, (client, signal) => client.watchJwtBundles(signal));
  }

  /** For verifying WIT-SVIDs. */
  static async openWit(options: SourceOptions = {}): Promise<WorkloadBundleSource> {
    return WorkloadBundleSource.#open(options, (client, signal) => client.watchWitBundles(signal));
  }

  static #open(options: SourceOptions, watch: Watch): Promise<WorkloadBundleSource> {
    return new WorkloadBundleSource(options, watch).opened(options);
  }

  /** `undefined`: nothing is trusted for this trust domain, at least not now. */
  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.peek()?.bundleFor(trustDomain);
  }

  /** What the authorities of the bundles have revoked. */
  revocationLists(): readonly RevocationList[] {
    return this.peek()?.revocationLists() ?? [];
  }

  /** All bundles. @throws ClientError `no-svid`, `closed` */
  bundles(): readonly TrustBundle[] {
    return this.current().list();
  }
}
