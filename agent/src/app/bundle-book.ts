import { BundleSet, type BundleSource, TrustBundle, type TrustDomain } from '@steeple/spiffe';
import { LatestSlot } from './latest-slot.ts';

/** The bundles that this node knows, its own trust domain's among them. */
export class BundleBook {
  readonly #trustDomain: TrustDomain;
  readonly #bundles = new BundleSet();
  readonly #readers = new Set<LatestSlot<readonly TrustBundle[]>>();

  constructor(trustDomain: TrustDomain) {
    this.#trustDomain = trustDomain;
  }

  get source(): BundleSource {
    return this.#bundles;
  }

  /** Empty before the first contact. */
  get own(): TrustBundle {
    return this.#bundles.get(this.#trustDomain) ?? TrustBundle.of(this.#trustDomain);
  }

  list(): readonly TrustBundle[] {
    return this.#bundles.list();
  }

  /** Those of the named trust domains as far as known, without the own one, sorted by name. */
  federated(names: ReadonlySet<string>): readonly TrustBundle[] {
    if (names.size === 0) return [];
    return this.#bundles
      .list()
      .filter(({ trustDomain }) => names.has(trustDomain.name) && !trustDomain.equals(this.#trustDomain))
      .sort((a, b) => (a.trustDomain.name < b.trustDomain.name ? -1 : 1));
  }

  /** Applies in one step; tells which bundles are new or different, and whether anything changed at all. */
  change(
    bundles: Iterable<TrustBundle>,
    removed: Iterable<TrustDomain>,
  ): { readonly changed: boolean; readonly fresh: readonly TrustBundle[] } {
    const fresh: TrustBundle[] = [];
    for (const bundle of bundles) {
      if (this.#bundles.get(bundle.trustDomain)?.equals(bundle) === true) continue;
      this.#bundles.set(bundle);
      fresh.push(bundle);
    }
    let changed = fresh.length > 0;
    for (const trustDomain of removed) if (this.#bundles.delete(trustDomain)) changed = true;
    if (changed) for (const slot of this.#readers) slot.set(this.list());
    return { changed, fresh };
  }

  /** All bundles now and after each change, until the signal aborts; what was overtaken before it was read is skipped. */
  async *watch(signal: AbortSignal): AsyncGenerator<readonly TrustBundle[], void, undefined> {
    const slot = new LatestSlot<readonly TrustBundle[]>();
    slot.set(this.list());
    this.#readers.add(slot);
    try {
      for (let list = await slot.take(signal); list !== undefined; list = await slot.take(signal)) yield list;
    } finally {
      this.#readers.delete(slot);
    }
  }
}
