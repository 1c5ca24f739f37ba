import type { Clock, Logger } from '@steeple/daemon';
import { backoff, Code, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import type { ServerApi } from './server-api.ts';
import type { Sync } from './sync.ts';
import { pause } from './wake-up.ts';

export interface PushParts {
  readonly server: Pick<ServerApi, 'watch'>;
  readonly sync: Pick<Sync, 'push' | 'nudge'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly onServerError: (error: unknown, signal: AbortSignal) => Promise<void>;
}

/** No slower than polling: the stream is also how we learn that the server is back. */
const RETRY = { initial: 0.2, max: 5, multiplier: 2, jitter: 0.2 };

/** A SPIRE server knows no announcements; ask again after this many seconds, it may have been replaced by one that does. */
const ASK_AGAIN = 600;

/**
 * Listens to the server's announcements, so that changes arrive at once. Polling goes on beside it: what this stream
 * misses, or a server without it, costs time and nothing else.
 */
export class Push {
  readonly #parts: PushParts;
  #live = false;

  constructor(parts: PushParts) {
    this.#parts = parts;
  }

  /** Whether changes are being announced at the moment. */
  get live(): boolean {
    return this.#live;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#parts;
    let failures = 0;
    while (!signal.aborted) {
      const ended = await this.#listen(signal);
      if (signal.aborted) return;
      if (ended.error instanceof GrpcError && ended.error.code === Code.UNIMPLEMENTED) {
        logger.debug('The server announces nothing; changes are found by asking');
        this.#parts.sync.nudge();
        await pause(clock, ASK_AGAIN, signal);
        continue;
      }
      // A stream that worked and ended is no failure: servers end connections that have grown old.
      failures = ended.wasLive ? 0 : failures + 1;
      logger.debug('The stream of announcements ended', { error: ended.error });
      // It does not come back at once, so it is no longer relied on: the pause between two questions is the short one again.
      if (failures === 2) this.#parts.sync.nudge();
      if (ended.error !== undefined) await this.#parts.onServerError(ended.error, signal);
      const wait = failures === 0 ? 0.2 * random() : backoff(failures, random(), RETRY);
      await pause(clock, heedRetryInfo(ended.error, wait), signal);
    }
  }

  async #listen(signal: AbortSignal): Promise<{ readonly wasLive: boolean; readonly error?: unknown }> {
    const { server, sync } = this.#parts;
    let wasLive = false;
    try {
      for await (const event of server.watch(signal)) {
        if (event.kind === 'changes') {
          sync.push(event);
        } else {
          // Ready: what changed before it was not announced. Resync: something was lost.
          wasLive ||= event.kind === 'ready';
          this.#live = wasLive;
          sync.nudge();
        }
      }
      return { wasLive };
    } catch (error) {
      return { wasLive, error };
    } finally {
      this.#live = false;
    }
  }
}
