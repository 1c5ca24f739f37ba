import type { TrustDomain } from '../id/trust-domain.ts';
import type { RevocationList } from '../x509/revocation-list.ts';
import type { BundleSource } from './bundle-source.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Bundles by trust domain. A bundle is filed under its own name and nothing else (TDB-01). */
export class BundleSet implements BundleSource {
  readonly #bundles = new Map<string, TrustBundle>();
  #revocationLists: readonly RevocationList[] = [];

  static of(...bundles: readonly TrustBundle[]): BundleSet {
    const set = new BundleSet();
    for (const bundle of bundles) set.set(bundle);
    return set;
  }

  /** Adds the bundle, or replaces that of the same trust domain; an empty one replaces too (TDB-11). */
  set(bundle: TrustBundle): void {
    this.#bundles.set(bundle.trustDomain.name, bundle);
  }

  /** Forgets a trust domain; says whether it was known. */
  delete(trustDomain: TrustDomain): boolean {
    return this.#bundles.delete(trustDomain.name);
  }

  get(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#bundles.get(trustDomain.name);
  }

  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.get(trustDomain);
  }

  revocationLists(): readonly RevocationList[] {
    return this.#revocationLists;
  }

  /** Replaces all revocation lists. */
  setRevocationLists(lists: readonly RevocationList[]): void {
    this.#revocationLists = [...lists];
  }

  /** All bundles, in the order in which their trust domains were first set. */
  list(): readonly TrustBundle[] {
    return [...this.#bundles.values()];
  }
}
