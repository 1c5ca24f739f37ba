/** Counts connections in total and per owner, and says when one is too many. */
export class ConnectionLimits {
  readonly #total: number;
  readonly #perOwner: number;
  readonly #open = new Map<number, number>();
  #count = 0;

  constructor(total: number, perOwner: number) {
    this.#total = total;
    this.#perOwner = perOwner;
  }

  get count(): number {
    return this.#count;
  }

  /** Enters a connection of that uid. Undefined when it is one too many, else the function that takes it out. */
  admit(uid: number): (() => void) | undefined {
    const own = this.#open.get(uid) ?? 0;
    if (this.#count >= this.#total || own >= this.#perOwner) return undefined;
    this.#count++;
    this.#open.set(uid, own + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave(uid);
    };
  }

  #leave(uid: number): void {
    this.#count--;
    const own = (this.#open.get(uid) ?? 1) - 1;
    if (own === 0) this.#open.delete(uid);
    else this.#open.set(uid, own);
  }
}
