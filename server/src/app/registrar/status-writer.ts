import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@steeple/daemon';
import { hasStatus, type KubernetesClient, type ResourceType } from '@steeple/daemon/kubernetes';
import { Bell } from './bell.ts';
import type { Owner } from './registrations.ts';
import { FOLLOWED } from './resources.ts';

interface Wanted {
  readonly type: ResourceType;
  readonly name: string;
  readonly status: object;
}

/** Seconds before a status that could not be written is tried again. */
const RETRY = 5;
/** Seconds between two rounds: many changes become one, and two controllers that disagree do not chase each other. */
const PAUSE = 0.2;

/** Writes what became of objects into their status, beside the work: a slow API holds up no registration. */
export class StatusWriter {
  readonly #client: KubernetesClient;
  readonly #rim: { readonly clock: Clock; readonly logger: Logger };
  readonly #wanted = new Map<string, Wanted>();
  readonly #bell = new Bell();

  constructor(client: KubernetesClient, rim: { readonly clock: Clock; readonly logger: Logger }) {
    this.#client = client;
    this.#rim = rim;
  }

  /** Takes what a round found out; what the cluster knows already is not written. */
  want(owners: readonly Owner[]): void {
    for (const owner of owners) {
      const { source } = owner;
      const key = `${owner.kind}/${source.metadata.name}`;
      const status = owner.kind === 'ClusterSPIFFEID' ? { stats: { ...owner.stats } } : { ...owner.state };
      if (isDeepStrictEqual(source['status'], status)) {
        this.#wanted.delete(key);
        continue;
      }
      const type = owner.kind === 'ClusterSPIFFEID' ? FOLLOWED.clusterSpiffeIds : FOLLOWED.clusterStaticEntries;
      this.#wanted.set(key, { type, name: source.metadata.name, status });
      this.#bell.ring();
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#bell.wait(signal);
      await this.#rim.clock.sleep(PAUSE, signal).catch(() => undefined);
      for (const [key, wanted] of Array.from(this.#wanted)) {
        if (signal.aborted) return;
        if (await this.#write(wanted, signal)) {
          if (this.#wanted.get(key) === wanted) this.#wanted.delete(key);
          continue;
        }
        this.#bell.ring();
        await this.#rim.clock.sleep(RETRY, signal).catch(() => undefined);
      }
    }
  }

  async #write({ type, name, status }: Wanted, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.patch(type, { name, subresource: 'status' }, { status }, { kind: 'merge' }, signal);
      return true;
    } catch (error) {
      // Deleted meanwhile: there is nothing to tell.
      if (hasStatus(error, 404)) return true;
      if (!signal.aborted) this.#rim.logger.warn('A status could not be written', { object: name, error });
      return false;
    }
  }
}
