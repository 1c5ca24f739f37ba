import type { BundleSource, RevocationList, TrustBundle, TrustDomain } from '@steeple/spiffe';

/** Under which bundle the server is believed: the one that is known, or another one for the length of a trial. */
export class ServerTrust implements BundleSource {
  readonly #known: BundleSource;
  #trial: TrustBundle | undefined;

  constructor(known: BundleSource) {
    this.#known = known;
  }

  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#trial?.trustDomain.equals(trustDomain) === true ? this.#trial : this.#known.bundleFor(trustDomain);
  }

  revocationLists(): readonly RevocationList[] {
    return this.#known.revocationLists?.() ?? [];
  }

  onChange(listener: () => void): () => void {
    return this.#known.onChange?.(listener) ?? (() => {});
  }

  async tryWith<T>(bundle: TrustBundle, work: () => Promise<T>): Promise<T> {
    this.#trial = bundle;
    try {
      return await work();
    } finally {
      this.#trial = undefined;
    }
  }
}
