import { isBanned } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { AgentStore } from '@steeple/plugins';

/** What is known of one agent, or server below this one, that takes its bundle from here. Times are Unix seconds. */
export interface BundleHolder {
  readonly id: string;
  /** Sequence of the newest bundle that was sent to it. */
  readonly sequence: bigint;
  /** Sequence that it says it lives by: everything it holds has been replaced where that bundle asks for it. */
  readonly reported: bigint | undefined;
  /** Subject key id of the authority that signed the certificate it last showed. */
  readonly authorityId: string | undefined;
  readonly seenAt: number;
  readonly isLive: boolean;
}

interface Known {
  sequence: bigint;
  /** Of a server below: since when it has had which bundle, the newest last; seconds on the clock that never goes back. */
  readonly steps: { readonly sequence: bigint; readonly at: number }[];
  reported: bigint | undefined;
  authorityId: string | undefined;
  seenAt: number;
  /** Seconds on the clock that never goes back. */
  seen: number;
  streams: number;
}

/** Seconds after which who has not asked counts as dead. Agents ask every five seconds. */
const LIVE = 30;
/** Seconds after which who has not asked is forgotten. */
const FORGOTTEN = 3600;
const LOOK_EVERY = 0.5;
/** Seconds that a server below needs to hand a bundle on to its own agents, and to servers below it. */
const HANDED_ON = 15;
/** Bundles of which it is known since when a server has had them. */
const MOST_STEPS = 16;

/**
 * Who has which bundle. Before an authority signs, every live agent must have had the bundle that holds it.
 *
 * D1. Whoever asks for the bundle, or listens to announcements, is live; who has done neither for half a minute is dead,
 *     and nobody waits for the dead.
 * D2. A server below has a bundle only when those below it have had time to take it from there.
 * D3. After a start, an agent that has not been heard of yet counts as live for as long.
 */
export class BundleDelivery {
  readonly #agents: Pick<AgentStore, 'loadAll'>;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #known = new Map<string, Known>();
  #cleanedAt: number;

  constructor(agents: Pick<AgentStore, 'loadAll'>, clock: Clock) {
    this.#agents = agents;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
    this.#cleanedAt = this.#startedAt;
  }

  /** A bundle was sent to this caller: an agent, or a server below. */
  sent(
    id: string,
    sequence: bigint,
    caller: { readonly authorityId?: string; readonly isServer?: boolean } = {},
  ): void {
    const known = this.#meet(id);
    if (caller.isServer === true && sequence > known.sequence) {
      known.steps.push({ sequence, at: known.seen });
      if (known.steps.length > MOST_STEPS) known.steps.shift();
    }
    if (sequence > known.sequence) known.sequence = sequence;
    if (caller.authorityId !== undefined) known.authorityId = caller.authorityId;
  }

  /** The caller says by which bundle it lives. */
  reported(id: string, sequence: bigint): void {
    const known = this.#meet(id);
    known.reported = sequence;
    if (sequence > known.sequence) known.sequence = sequence;
  }

  /** The caller listens to announcements; call the result when it has stopped. */
  listens(id: string): () => void {
    const known = this.#meet(id);
    known.streams++;
    return () => {
      known.streams--;
      known.seen = this.#clock.monotonic();
    };
  }

  list(): BundleHolder[] {
    return [...this.#known].map(([id, known]) => ({
      id,
      sequence: known.sequence,
      reported: known.reported,
      authorityId: known.authorityId,
      seenAt: known.seenAt,
      isLive: this.#isLive(known),
    }));
  }

  /** Who is live and has not had the bundle of this sequence. */
  async lagging(sequence: bigint): Promise<string[]> {
    const behind = [...this.#known].filter(([, known]) => this.#isLive(known) && !this.#has(known, sequence));
    return [...behind.map(([id]) => id), ...(await this.#unheard())];
  }

  /** Waits until nobody lags, but not for ever; resolves with those who still do. Rejects when aborted. */
  async caughtUp(sequence: bigint, signal: AbortSignal): Promise<string[]> {
    const end = this.#clock.monotonic() + LIVE + HANDED_ON;
    for (;;) {
      const behind = await this.lagging(sequence);
      if (behind.length === 0 || this.#clock.monotonic() >= end) return behind;
      await this.#clock.sleep(LOOK_EVERY, signal);
    }
  }

  /** D3 */
  async #unheard(): Promise<string[]> {
    if (this.#clock.monotonic() >= this.#startedAt + LIVE) return [];
    const now = this.#clock.now();
    return (await this.#agents.loadAll())
      .filter((agent) => agent.expiresAt > now && !isBanned(agent) && !this.#known.has(agent.id.toString()))
      .map(({ id }) => id.toString());
  }

  /** D2 */
  #has({ sequence, steps }: Known, wanted: bigint): boolean {
    if (sequence < wanted) return false;
    const step = steps.find((one) => one.sequence >= wanted);
    return step === undefined || step.at + HANDED_ON <= this.#clock.monotonic();
  }

  /** D1 */
  #isLive({ streams, seen }: Known): boolean {
    return streams > 0 || this.#clock.monotonic() < seen + LIVE;
  }

  #meet(id: string): Known {
    const seen = this.#clock.monotonic();
    const known = this.#known.get(id) ?? this.#introduce(id, seen);
    known.seen = seen;
    known.seenAt = this.#clock.now();
    return known;
  }

  #introduce(id: string, seen: number): Known {
    if (this.#cleanedAt + FORGOTTEN < seen) this.#clean(seen);
    const known: Known = {
      sequence: 0n,
      steps: [],
      reported: undefined,
      authorityId: undefined,
      seen,
      seenAt: 0,
      streams: 0,
    };
    this.#known.set(id, known);
    return known;
  }

  #clean(now: number): void {
    this.#cleanedAt = now;
    for (const [id, { streams, seen }] of this.#known) {
      if (streams === 0 && seen + FORGOTTEN < now) this.#known.delete(id);
    }
  }
}
