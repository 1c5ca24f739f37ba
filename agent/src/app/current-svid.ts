import { SpiffeError, type X509Svid, type X509SvidSource } from '@steeple/spiffe';

/** The agent's own SVID of the moment. */
export class CurrentSvid implements X509SvidSource {
  #svid: X509Svid | undefined;
  readonly #listeners = new Set<() => void>();

  get isSet(): boolean {
    return this.#svid !== undefined;
  }

  /** @throws SpiffeError `invalid-svid` before the first attestation, or after the identity was lost */
  x509Svid(): X509Svid {
    if (this.#svid === undefined) throw new SpiffeError('invalid-svid', 'this agent has no SVID yet');
    return this.#svid;
  }

  set(svid: X509Svid): void {
    this.#svid = svid;
    for (const listener of this.#listeners) listener();
  }

  clear(): void {
    this.#svid = undefined;
  }

  /** Calls back after each change. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
