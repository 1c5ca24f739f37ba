import type { Clock } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { noIdentity } from './no-identity.ts';
import { pause } from './wake-up.ts';

/** Seconds between two looks at who is still alive. */
const INTERVAL = 3;

/** One for all: the default reason of a signal is an error with a stack. */
const ENDED = new DOMException('the stream has ended', 'AbortError');

/**
 * Ends streams whose opener is dead. A connection may outlive the process that made it, in the hands of a child or of
 * whoever was given it; identities are for the process that was attested.
 */
export class OpenStreams {
  readonly #clock: Clock;
  readonly #streams = new Map<PeerCredentials, Set<AbortController>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A signal that aborts with the given one and when the opener has died, and the function that ends the watch and all that
   * hangs on the signal.
   */
  guard(peer: PeerCredentials, signal: AbortSignal): { readonly signal: AbortSignal; readonly release: () => void } {
    const end = new AbortController();
    // Not AbortSignal.any: it would cost each of thousands of streams another signal and several sets.
    const forward = () => end.abort(signal.reason);
    signal.addEventListener('abort', forward, { once: true });
    if (signal.aborted) forward();
    const streams = this.#streams.get(peer) ?? new Set();
    this.#streams.set(peer, streams.add(end));
    const release = () => {
      signal.removeEventListener('abort', forward);
      streams.delete(end);
      if (streams.size === 0) this.#streams.delete(peer);
      end.abort(ENDED);
    };
    return { signal: end.signal, release };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#clock, INTERVAL, signal);
      this.check();
    }
  }

  /** Looks now. */
  check(): void {
    for (const [peer, streams] of this.#streams) {
      if (!peer.isAlive()) for (const stream of streams) stream.abort(noIdentity());
    }
  }
}
