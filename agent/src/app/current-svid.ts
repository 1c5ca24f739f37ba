import { SpiffeError, type X509Svid, type X509SvidSource } from '@steeple/spiffe';

/** The agent's own SVID of the moment. */
export class CurrentSvid implements X509SvidSource {
  #svid: X509Svid | undefined;
  readonly #listeners = new Set<(svid: X509Svid) => void>();

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
    for (const listener of this.#listeners) listener(svid);
  }

  clear(): void {
    this.#svid = undefined;
  }

  onChange(listener: (svid: X509Svid) => void): void {
    this.#listeners.add(listener);
  }
}
