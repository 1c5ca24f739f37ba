import type { Clock, Logger } from '@steeple/daemon';
import type { BundlePublisher } from '@steeple/plugins';
import { type BackoffShape, backoff } from '@steeple/proto/grpc';
import type { TrustBundle } from '@steeple/spiffe';
import type { Bundles } from './bundles.ts';

export interface NamedPublisher {
  readonly name: string;
  readonly publisher: BundlePublisher;
}

/** Seconds until the bundle is published again although nothing happened: somebody else may have changed it. */
const AGAIN = 5 * 60;
/** Seconds that publishing may take. */
const LONGEST = 60;
const RETRIES: BackoffShape = { initial: 2, max: 60, multiplier: 2, jitter: 0.2 };

/** Keeps the own bundle published. Each publisher has its own pace, so that one that fails holds no other up. */
export class BundlePublishing {
  readonly #bundles: Pick<Bundles, 'own'>;
  readonly #publishers: readonly NamedPublisher[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random01: () => number;
  readonly #naps = new Set<AbortController>();

  constructor(
    bundles: Pick<Bundles, 'own'>,
    publishers: readonly NamedPublisher[],
    rim: { readonly clock: Clock; readonly logger: Logger; readonly random01: () => number },
  ) {
    this.#bundles = bundles;
    this.#publishers = publishers;
    this.#clock = rim.clock;
    this.#logger = rim.logger;
    this.#random01 = rim.random01;
  }

  /** The own bundle is another one now. */
  bundleChanged(): void {
    for (const nap of this.#naps) nap.abort();
  }

  /** Publishes until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const current = () => this.#bundles.own();
    const keeping = this.#publishers.map(({ name, publisher }) => this.#keep(name, publisher, signal));
    const following = this.#publishers.map(async ({ publisher }) => publisher.follow?.(current, signal));
    await Promise.all([...keeping, ...following]);
  }

  async #keep(name: string, publisher: BundlePublisher, signal: AbortSignal): Promise<void> {
    let failures = 0;
    let published: TrustBundle | undefined;
    while (!signal.aborted) {
      const bundle = this.#bundles.own();
      try {
        await this.#publish(publisher, bundle, signal);
        if (failures > 0 || published?.equals(bundle) !== true) {
          this.#logger.info('Bundle published', { publisher: name, sequence: bundle.sequence });
        }
        published = bundle;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#logger.warn('Bundle not published', { publisher: name, attempt: failures, error });
      }
      // What changed meanwhile goes out at once, and only the newest of it.
      if (failures > 0 || this.#bundles.own().equals(bundle)) await this.#nap(failures, signal);
    }
  }

  async #publish(publisher: BundlePublisher, bundle: TrustBundle, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const late = new AbortController();
    const expire = () => late.abort(new Error(`it took longer than ${LONGEST} seconds`));
    this.#clock.sleep(LONGEST, done.signal).then(expire, () => undefined);
    await publisher.publish(bundle, AbortSignal.any([signal, late.signal])).finally(() => done.abort());
  }

  async #nap(failures: number, signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    this.#naps.add(nap);
    const seconds = failures > 0 ? backoff(failures, this.#random01(), RETRIES) : AGAIN;
    await this.#clock.sleep(seconds, AbortSignal.any([signal, nap.signal])).catch(() => undefined);
    this.#naps.delete(nap);
  }
}
