import type { Clock } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { pause } from './wake-up.ts';
import { noIdentity } from './workload-attestation.ts';

/** Seconds between two looks at who is still alive. */
const INTERVAL = 3;

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

  /** A signal that also aborts when the opener has died, and the function that ends the watch and all that hangs on the signal. */
  guard(peer: PeerCredentials, signal: AbortSignal): { readonly signal: AbortSignal; readonly release: () => void } {
    const death = new AbortController();
    const streams = this.#streams.get(peer) ?? new Set();
    this.#streams.set(peer, streams.add(death));
    const release = () => {
      streams.delete(death);
      if (streams.size === 0) this.#streams.delete(peer);
      death.abort();
    };
    return { signal: AbortSignal.any([signal, death.signal]), release };
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
