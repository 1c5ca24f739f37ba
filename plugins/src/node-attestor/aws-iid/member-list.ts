/** How often in one term a member that is not on the list may have it read again. */
const EARLY_READS = 5;

/**
 * A list from elsewhere, such as an organization's accounts, kept for a while. Who is new is found: for somebody not on
 * it the list is read again, a few times a term at most.
 */
export class MemberList {
  readonly #read: (signal: AbortSignal) => Promise<ReadonlySet<string>>;
  /** Seconds. */
  readonly #ttl: number;
  readonly #now: () => number;
  #members: ReadonlySet<string> = new Set();
  #staleAt = Number.NEGATIVE_INFINITY;
  #earlyReads = 0;
  #reading: Promise<void> | undefined;

  constructor(read: (signal: AbortSignal) => Promise<ReadonlySet<string>>, ttl: number, now: () => number) {
    this.#read = read;
    this.#ttl = ttl;
    this.#now = now;
  }

  /** @throws what reading throws: a list that cannot be read has nobody on it */
  async has(member: string, signal: AbortSignal): Promise<boolean> {
    if (!(this.#now() < this.#staleAt)) {
      await this.#refresh(signal);
      this.#earlyReads = 0;
      this.#staleAt = this.#now() + this.#ttl;
    } else if (!this.#members.has(member) && this.#earlyReads < EARLY_READS) {
      this.#earlyReads += 1;
      await this.#refresh(signal);
    }
    return this.#members.has(member);
  }

  /** Many that ask at once share one reading. */
  async #refresh(signal: AbortSignal): Promise<void> {
    this.#reading ??= this.#read(signal)
      .then((members) => {
        this.#members = members;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    await this.#reading;
  }
}
