/** Remembers proofs of possession until they expire, so that each is accepted once (WIT-SVID section 7.2). */
export class ProofMemory {
  readonly #now: () => number;
  readonly #limit: number;
  // In order of arrival; lives are short and alike, so this is nearly the order of expiry.
  readonly #expiries = new Map<string, number>();

  /** @param now Unix seconds @param limit most proofs remembered at a time */
  constructor(now: () => number, limit = 100_000) {
    this.#now = now;
    this.#limit = limit;
  }

  /** Whether the proof is new. One that there is no room to remember counts as used: it could come again. */
  readonly firstUse = (proof: { id: { toString(): string }; jti: string; expiresAt: number }): boolean => {
    this.#forgetExpired();
    const key = `${proof.id.toString()} ${proof.jti}`;
    if (this.#expiries.has(key) || this.#expiries.size >= this.#limit) return false;
    this.#expiries.set(key, proof.expiresAt);
    return true;
  };

  #forgetExpired(): void {
    const now = this.#now();
    for (const [key, expiresAt] of this.#expiries) {
      if (expiresAt >= now) {
        if (this.#expiries.size < this.#limit) return;
        continue;
      }
      this.#expiries.delete(key);
    }
  }
}
