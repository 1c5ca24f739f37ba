import type { Clock, Logger } from '@steeple/daemon';
import type { AgentStore } from '@steeple/plugins';

export interface AgentPruningSettings {
  /** Seconds since its SVID expired after which an agent is forgotten. */
  readonly expiredFor: number;
  /** Agents forgotten per round at most. */
  readonly batchSize: number;
  /** Those that cannot attest again too. */
  readonly tofu: boolean;
}

/** Seconds between two rounds, and how much they vary so that servers of one cluster do not work in step. */
const INTERVAL = 3600;
const JITTER = 900;

/** Forgets agents that have been gone for long, never banned ones: their ban would go with them. */
export class AgentPruning {
  readonly #agents: AgentStore;
  readonly #settings: AgentPruningSettings;
  readonly #random01: () => number;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    agents: AgentStore,
    settings: AgentPruningSettings,
    rim: { readonly clock: Clock; readonly logger: Logger; readonly random01: () => number },
  ) {
    this.#agents = agents;
    this.#settings = settings;
    this.#random01 = rim.random01;
    this.#clock = rim.clock;
    this.#logger = rim.logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    const interval = INTERVAL - JITTER + Math.floor(this.#random01() * 2 * JITTER);
    for (;;) {
      await this.#clock.sleep(interval, signal);
      try {
        await this.prune();
      } catch (error) {
        this.#logger.error('Pruning failed', { what: 'agents', error });
      }
    }
  }

  async prune(): Promise<void> {
    const { expiredFor, batchSize, tofu } = this.#settings;
    const pruned = await this.#agents.pruneExpired({
      before: this.#clock.now() - expiredFor,
      limit: batchSize,
      includeNotReattestable: tofu,
    });
    for (const id of pruned) this.#logger.info('Agent pruned', { agent_id: id });
  }
}
