import type { Clock, Logger } from '@steeple/daemon';
import type { AgentIdentity } from './agent-identity.ts';
import type { CurrentSvid } from './current-svid.ts';
import type { IdentityCache } from './identity-cache.ts';
import type { ServerApi } from './server-api.ts';
import { taintedIssuers } from './tainted-issuers.ts';
import { WakeUp } from './wake-up.ts';

export interface BundleReportParts {
  readonly cache: Pick<IdentityCache, 'ownBundle' | 'synced' | 'holdsTainted' | 'onWork'>;
  readonly current: CurrentSvid;
  readonly identity: Pick<AgentIdentity, 'renewNow'>;
  readonly server: Pick<ServerApi, 'postStatus'>;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Seconds until what could not be told is tried again. */
const RETRY = 5;

/**
 * Acts on authorities that are known to be compromised, and tells the server when nothing here stands on them any more: an
 * operator who revokes one waits for that.
 */
export class BundleReport {
  readonly #parts: BundleReportParts;
  readonly #wake: WakeUp;
  #told = 0n;

  constructor(parts: BundleReportParts) {
    this.#parts = parts;
    this.#wake = new WakeUp(parts.clock);
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { cache, current } = this.#parts;
    const ends = [cache.onWork(() => this.#wake.nudge()), current.onChange(() => this.#wake.nudge())];
    try {
      while (!signal.aborted) {
        const isDone = await this.#look(signal);
        await this.#wake.nap(isDone ? 3600 : RETRY, signal);
      }
    } finally {
      for (const end of ends) end();
    }
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { cache, current, identity, server, version, logger } = this.#parts;
    const { ownBundle } = cache;
    const isTainted = taintedIssuers(ownBundle);
    if (current.isSet && isTainted?.(current.x509Svid()) === true) {
      identity.renewNow();
      return false;
    }
    if (ownBundle.sequence === this.#told || !cache.synced) return true;
    if (cache.holdsTainted) return false;
    try {
      await server.postStatus(version, signal, ownBundle.sequence);
      this.#told = ownBundle.sequence;
      return true;
    } catch (error) {
      if (!signal.aborted) logger.debug('Could not tell the server which bundle this agent lives by', { error });
      return false;
    }
  }
}
