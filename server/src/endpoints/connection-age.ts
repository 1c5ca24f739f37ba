import type { TLSSocket } from 'node:tls';
import type { Clock } from '@steeple/daemon';
import type { Peer } from '@steeple/daemon/listen';
import type { Middleware } from '@steeple/proto/grpc';
import { type RandomBytes, random01 } from '../app/randomness.ts';

/** Seconds a connection may last, give or take a tenth. */
const MAX_AGE = 180;
/** Seconds that calls running at its end may still take. */
const GRACE = 10;
const LOOK_EVERY = 0.1;

/**
 * Ends connections after a while, so that what a client once proved is proved again: its certificate against the bundle
 * of the day. A connection ends between calls where it can; streams that only listen do not hold it open.
 */
export class ConnectionAge {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #running = new WeakMap<TLSSocket, number>();

  constructor(clock: Clock, random: RandomBytes) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Counts the calls of each connection. */
  counting(peer: (key: string) => Peer | undefined): Middleware {
    return async ({ ctx, method }, next) => {
      const from = peer(ctx.peerKey);
      const socket = from?.kind === 'tcp' ? from.tls : undefined;
      if (!socket || method.methodKind === 'server_streaming') return next();
      this.#count(socket, 1);
      try {
        await next();
      } finally {
        this.#count(socket, -1);
      }
    };
  }

  /** Ends the connection when its time has come. Never rejects. */
  async limit(socket: TLSSocket): Promise<void> {
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    try {
      await this.#clock.sleep(MAX_AGE * (0.9 + 0.2 * random01(this.#random)), closed.signal);
      const end = this.#clock.monotonic() + GRACE;
      while (this.isBusy(socket) && this.#clock.monotonic() < end) await this.#clock.sleep(LOOK_EVERY, closed.signal);
      socket.destroySoon();
    } catch {
      // Closed by itself.
    }
  }

  isBusy(socket: TLSSocket): boolean {
    return (this.#running.get(socket) ?? 0) > 0;
  }

  #count(socket: TLSSocket, by: number): void {
    this.#running.set(socket, (this.#running.get(socket) ?? 0) + by);
  }
}
