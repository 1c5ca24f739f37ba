import type { ExecCredential } from './exec-credential.ts';

/** Seconds before its end at which a credential is asked for anew, and the life of one that does not tell its end. */
const EARLY = 30;
const UNKNOWN_LIFE = 60;

/** Remembers what a program told until shortly before that ends, so that it does not run for every request. */
export class ExecMemory {
  #known: { readonly key: string; readonly until: number; readonly credential: Promise<ExecCredential> } | undefined;

  /** @param key what the program was told to do; @param now Unix seconds */
  async get(key: string, now: () => number, run: () => Promise<ExecCredential>): Promise<ExecCredential> {
    if (this.#known?.key === key && now() < this.#known.until) return this.#known.credential;
    // Whoever comes while it runs waits for the same run.
    const known = { key, until: Number.POSITIVE_INFINITY, credential: run() };
    this.#known = known;
    try {
      const credential = await known.credential;
      this.#known = { ...known, until: (credential.expiresAt ?? now() + UNKNOWN_LIFE + EARLY) - EARLY };
      return credential;
    } catch (error) {
      if (this.#known === known) this.#known = undefined;
      throw error;
    }
  }
}
