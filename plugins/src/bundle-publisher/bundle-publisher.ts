import type { TrustBundle } from '@steeple/spiffe';

/** Keeps the trust domain's bundle where those find it who cannot ask a server or an agent. */
export interface BundlePublisher {
  /**
   * Puts the bundle in its places: at the start, at each change, and now and then in case somebody else changed them.
   * Publishing what is there already changes nothing. A place that fails does not keep it from the others.
   *
   * @throws {IssuerError} `unavailable`, naming the places that do not have it
   */
  publish(bundle: TrustBundle, signal: AbortSignal): Promise<void>;
  /** For places that come and go: keeps them filled with the bundle of the moment until `signal` aborts. Never throws. */
  readonly follow?: (current: () => TrustBundle, signal: AbortSignal) => Promise<void>;
  close(): Promise<void>;
}
