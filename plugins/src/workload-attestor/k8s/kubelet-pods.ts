import type { Clock, Logger } from '@steeple/daemon';
import type { KubeletClient } from './kubelet-client.ts';
import { PodList } from './pod-list.ts';

/** Seconds after which the same trouble is told again. */
const REMINDER = 60;

/** The kubelet's list of pods; what is wrong with it is logged here, once for all who wait for it. */
export class KubeletPods {
  readonly #client: KubeletClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #told: { readonly message: string; readonly at: number } | undefined;

  constructor(client: KubeletClient, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws {KubeletError} */
  async list(): Promise<PodList> {
    try {
      return new PodList(await this.#client.pods(), (why) =>
        this.#tell('The kubelet tells of a pod that cannot be understood', why),
      );
    } catch (error) {
      this.#tell('The kubelet does not tell its pods', (error as Error).message);
      throw error;
    }
  }

  #tell(what: string, why: string): void {
    const now = this.#clock.monotonic();
    if (this.#told?.message === why && now - this.#told.at < REMINDER) return;
    this.#told = { message: why, at: now };
    this.#logger.warn(what, { reason: why });
  }
}
