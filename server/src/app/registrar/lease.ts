import type { Clock, Logger } from '@steeple/daemon';
import { hasStatus, type KubernetesClient, type KubernetesObject, type ResourceType } from '@steeple/daemon/kubernetes';

const LEASES: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };

/** As client-go has them by default, in seconds: how long a lease counts, how long its holder trusts it, and how often it asks. */
const DURATION = 15;
const RENEWED_WITHIN = 10;
const RETRY = 2;

export interface LeaseSettings {
  readonly namespace: string;
  readonly name: string;
}

export interface LeaseParts {
  readonly client: KubernetesClient;
  /** Who this server is among those that want the lease; two must not have the same. */
  readonly identity: string;
  /** Called when this server begins to hold it. */
  readonly onHeld: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Lets one of several servers work. Who holds the lease renews it; when it was not renewed for its duration, as this server
 * saw it on its own clock, another takes it.
 */
export class Lease {
  readonly #settings: LeaseSettings;
  readonly #parts: LeaseParts;
  /** Until when this server holds it; monotonic seconds. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** The state of the lease as last seen, and when it was first seen so. */
  #seen: { readonly version: string; readonly since: number } | undefined;

  constructor(settings: LeaseSettings, parts: LeaseParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  isHeld(): boolean {
    return this.#parts.clock.monotonic() < this.#heldUntil;
  }

  /** Wants the lease until the signal aborts, then gives it back. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    while (!signal.aborted) {
      await this.#attempt(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn('The lease of the cluster cannot be had or renewed', { error });
      });
      await clock.sleep(RETRY, signal).catch(() => undefined);
    }
    await this.#giveBack().catch((error: unknown) => logger.warn('The lease was not given back', { error }));
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { client, clock, identity, logger, onHeld } = this.#parts;
    const { namespace, name } = this.#settings;
    const began = clock.monotonic();
    const lease = await client.get(LEASES, { namespace, name }, signal).catch((error: unknown) => {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    });
    if (lease !== undefined && !this.#mayTake(lease, began)) return;
    const wasHeld = this.isHeld();
    try {
      await this.#write(lease, identity, signal);
    } catch (error) {
      // Somebody was faster.
      if (hasStatus(error, 409)) return;
      throw error;
    }
    this.#heldUntil = began + RENEWED_WITHIN;
    if (wasHeld) return;
    logger.info('This server works for the cluster', { lease: `${namespace}/${name}` });
    onHeld();
  }

  #mayTake({ metadata: { resourceVersion = '' }, spec }: KubernetesObject, now: number): boolean {
    const { holderIdentity = '' } = (spec ?? {}) as { holderIdentity?: string };
    if (holderIdentity === '' || holderIdentity === this.#parts.identity) return true;
    if (this.#seen?.version !== resourceVersion) this.#seen = { version: resourceVersion, since: now };
    return now - this.#seen.since >= DURATION;
  }

  async #write(old: KubernetesObject | undefined, holderIdentity: string, signal?: AbortSignal): Promise<void> {
    const { client, clock } = this.#parts;
    const { namespace, name } = this.#settings;
    const time = new Date(clock.now() * 1000).toISOString().replace('Z', '000Z');
    const before = (old?.['spec'] ?? {}) as {
      holderIdentity?: string;
      acquireTime?: string;
      leaseTransitions?: number;
    };
    const isNew = before.holderIdentity !== holderIdentity;
    const spec = {
      holderIdentity,
      leaseDurationSeconds: DURATION,
      acquireTime: isNew ? time : before.acquireTime,
      renewTime: time,
      leaseTransitions: (before.leaseTransitions ?? 0) + (old !== undefined && isNew ? 1 : 0),
    };
    const { resourceVersion } = old?.metadata ?? {};
    const metadata = { name, namespace, ...(resourceVersion !== undefined && { resourceVersion }) };
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    if (old === undefined) await client.create(LEASES, object, { namespace }, signal);
    else await client.update(LEASES, { namespace, name }, object, signal);
  }

  async #giveBack(): Promise<void> {
    if (!this.isHeld()) return;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    const lease = await this.#parts.client.get(LEASES, this.#settings);
    const { holderIdentity } = (lease['spec'] ?? {}) as { holderIdentity?: string };
    if (holderIdentity === this.#parts.identity) await this.#write(lease, '');
  }
}
