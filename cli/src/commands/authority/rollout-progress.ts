import type { rolloutV1 } from '@steeple/proto/steeple-api';
import { idText } from '../../spiffe-id-flag.ts';

/** Who has left a compromised authority behind, and who has not. */
export interface RolloutProgress {
  readonly done: readonly string[];
  /** Live, and not done. */
  readonly waiting: readonly string[];
  /** Not heard of lately, and not done: nobody knows what they still hold. */
  readonly silent: readonly string[];
}

/** Agents of SPIRE do not say when they are done; so long after they could begin, in seconds, they count as done. */
const SPIRE_TAKES = 15;
/** The same for a server below: it takes a new CA first, and then its own agents and the servers below it come. */
const SERVER_TAKES = 60;

/** Follows the holders of a bundle from look to look. */
export class RolloutWatch {
  readonly #sequence: bigint;
  /** The compromised X.509 authority; undefined for tokens, which are replaced without a new certificate. */
  readonly #authorityId: string | undefined;
  readonly #readySince = new Map<string, number>();

  constructor(sequence: bigint, authorityId: string | undefined) {
    this.#sequence = sequence;
    this.#authorityId = authorityId;
  }

  /** `now` in Unix seconds. */
  judge(holders: readonly rolloutV1.Holder[], now: number): RolloutProgress {
    const [done, waiting, silent]: [string[], string[], string[]] = [[], [], []];
    for (const holder of holders) {
      const id = idText(holder.id);
      if (this.#isDone(holder, id, now)) done.push(id);
      else if (holder.live) waiting.push(id);
      else silent.push(id);
    }
    return { done, waiting, silent };
  }

  #isDone(holder: rolloutV1.Holder, id: string, now: number): boolean {
    if (holder.reportedSequenceNumber >= this.#sequence) return true;
    const isReady = holder.sentSequenceNumber >= this.#sequence && holder.authorityId !== this.#authorityId;
    if (!isReady) this.#readySince.delete(id);
    else if (!this.#readySince.has(id)) this.#readySince.set(id, now);
    // Who has ever said so will say so.
    if (holder.reportedSequenceNumber > 0n) return false;
    const since = this.#readySince.get(id);
    const takes = holder.id?.path.startsWith('/spire/agent/') === true ? SPIRE_TAKES : SERVER_TAKES;
    return since !== undefined && now >= since + takes;
  }
}
