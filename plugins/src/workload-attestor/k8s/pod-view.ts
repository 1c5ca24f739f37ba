import type { Clock } from '@steeple/daemon';
import type { PodList } from './pod-list.ts';

export interface PodViewOptions {
  /** Asks the kubelet. */
  readonly list: () => Promise<PodList>;
  readonly clock: Clock;
  /** Seconds from one question to the next. */
  readonly interval: number;
}

/** What the kubelet said at one moment. */
export interface SeenPods {
  readonly pods: PodList;
  /** When it was asked, on the monotonic clock: the list is no older. */
  readonly askedAt: number;
  readonly number: number;
}

/**
 * The kubelet's list of pods, shared by all attestations.
 *
 * 1. One question at a time, however many wait for the answer, and one at most in each interval.
 * 2. Whoever needs an answer that is not older than some moment gets one to a question that was asked after it.
 * 3. Nothing is asked while nobody wants to know.
 */
export class PodView {
  readonly #options: PodViewOptions;
  #seen: SeenPods | undefined;
  #asking: Promise<void> | undefined;
  #lastAsked = Number.NEGATIVE_INFINITY;

  constructor(options: PodViewOptions) {
    this.#options = options;
  }

  /** A list that is at most so many seconds old. @throws {KubeletError} */
  async notOlderThan(seconds: number): Promise<SeenPods> {
    const since = this.#options.clock.monotonic() - seconds;
    return await this.#until(({ askedAt }) => askedAt >= since);
  }

  /** The next list after this one. @throws {KubeletError} */
  async after(seen: SeenPods): Promise<SeenPods> {
    return await this.#until((other) => other.number > seen.number);
  }

  async #until(wanted: (seen: SeenPods) => boolean): Promise<SeenPods> {
    while (this.#seen === undefined || !wanted(this.#seen)) {
      this.#asking ??= this.#ask();
      await this.#asking;
    }
    return this.#seen;
  }

  async #ask(): Promise<void> {
    const { list, clock, interval } = this.#options;
    try {
      const pause = this.#lastAsked + interval - clock.monotonic();
      if (pause > 0) await clock.sleep(pause);
      const askedAt = clock.monotonic();
      this.#lastAsked = askedAt;
      const pods = await list();
      this.#seen = { pods, askedAt, number: (this.#seen?.number ?? 0) + 1 };
    } finally {
      this.#asking = undefined;
    }
  }
}
