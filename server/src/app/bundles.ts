import { IssuerError, takeFetchedBundle } from '@steeple/core';
import type { BundleDeleteMode, BundleStore, Page, PageRequest, StoreChange } from '@steeple/plugins';
import { BundleSet, type BundleSource, TrustBundle, TrustDomain } from '@steeple/spiffe';

/**
 * The own bundle and the federated ones.
 *
 * 1. Reading is from memory, which follows the store's commits in their order.
 * 2. Every change is one atomic step of the store; a change of the own bundle states what it saw.
 */
export class Bundles implements BundleSource {
  readonly trustDomain: TrustDomain;
  readonly #store: BundleStore;
  readonly #bundles = new BundleSet();

  constructor(trustDomain: TrustDomain, store: BundleStore) {
    this.trustDomain = trustDomain;
    this.#store = store;
  }

  /** Reads what is stored. The store must be watched before, see `apply`. */
  async load(): Promise<void> {
    const { items } = await this.#store.list();
    for (const bundle of items) this.#bundles.set(bundle);
  }

  /** Takes over what one transaction changed. */
  apply(change: StoreChange): void {
    for (const bundle of change.bundles.put) this.#bundles.set(bundle);
    for (const name of change.bundles.removed) this.#bundles.delete(TrustDomain.parse(name));
  }

  /** The own bundle; empty until the first authority exists. */
  own(): TrustBundle {
    return this.#bundles.get(this.trustDomain) ?? TrustBundle.of(this.trustDomain);
  }

  /** The own bundle as stored; undefined before the first authority. */
  storedOwn(): TrustBundle | undefined {
    return this.#bundles.get(this.trustDomain);
  }

  /** The own bundle or a federated one, for verifiers. */
  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#bundles.get(trustDomain);
  }

  /** Changes the own bundle by a pure function that counts the sequence up (see `core/bundle-changes`). */
  updateOwn(change: (bundle: TrustBundle) => TrustBundle): Promise<TrustBundle> {
    return this.#store.update(this.trustDomain, (old) => change(old ?? TrustBundle.of(this.trustDomain)));
  }

  /** All bundles, the own one included. */
  count(): Promise<number> {
    return this.#store.count();
  }

  /** @throws {IssuerError} `invalid-argument` for the own trust domain, `not-found` */
  federated(trustDomain: TrustDomain): TrustBundle {
    this.#refuseOwn(trustDomain, 'getting a federated bundle for');
    return this.#bundles.get(trustDomain) ?? notFound();
  }

  listFederated(page?: PageRequest): Promise<Page<TrustBundle>> {
    return this.#store.list({ except: this.trustDomain, ...(page && { page }) });
  }

  /** @throws {IssuerError} `invalid-argument` for the own trust domain, `already-exists` */
  async create(bundle: TrustBundle): Promise<TrustBundle> {
    this.#refuseOwn(bundle.trustDomain, 'creating a federated bundle for');
    this.#refuseOwnKeys(bundle);
    try {
      await this.#store.put(bundle, 'absent');
    } catch (error) {
      if (!(error instanceof IssuerError) || error.code !== 'already-exists') throw error;
      throw new IssuerError('already-exists', 'bundle already exists', { cause: error });
    }
    return bundle;
  }

  /** Replaces a bundle by what `change` makes of it. @throws {IssuerError} `invalid-argument`, `not-found` */
  update(trustDomain: TrustDomain, change: (stored: TrustBundle) => TrustBundle): Promise<TrustBundle> {
    this.#refuseOwn(trustDomain, 'updating a federated bundle for');
    return this.#store.update(trustDomain, (old) => {
      const changed = change(old ?? notFound());
      this.#refuseOwnKeys(changed);
      return changed;
    });
  }

  /** Creates or replaces. @throws {IssuerError} `invalid-argument` for the own trust domain */
  async set(bundle: TrustBundle): Promise<TrustBundle> {
    this.#refuseOwn(bundle.trustDomain, 'setting a federated bundle for');
    this.#refuseOwnKeys(bundle);
    await this.#store.put(bundle);
    return bundle;
  }

  /**
   * Takes over what another trust domain published; true if something was new.
   *
   * @throws {IssuerError} `invalid-argument` for the own trust domain or keys, `failed-precondition` for an older bundle
   */
  async takeFetched(fetched: TrustBundle): Promise<boolean> {
    this.checkForeign(fetched);
    let before: TrustBundle | undefined;
    const after = await this.#store.update(fetched.trustDomain, (stored) => {
      before = stored;
      return takeFetchedBundle(stored, fetched);
    });
    return after !== before;
  }

  /** @throws {IssuerError} `invalid-argument` if this is not the bundle of another trust domain with keys of its own */
  checkForeign(bundle: TrustBundle): void {
    this.#refuseOwn(bundle.trustDomain, 'setting a federated bundle for');
    this.#refuseOwnKeys(bundle);
  }

  /** `mode` says what becomes of entries that federate with it. @throws {IssuerError} as the store */
  delete(trustDomain: TrustDomain, mode: BundleDeleteMode): Promise<void> {
    if (trustDomain.equals(this.trustDomain)) {
      throw new IssuerError('invalid-argument', 'removing the bundle for the server trust domain is not allowed');
    }
    return this.#store.delete(trustDomain, mode);
  }

  /** One key is authoritative for one trust domain (SPIFFE Trust Domain and Bundle, sections 2 and 6.2). */
  #refuseOwnKeys(bundle: TrustBundle): void {
    const own = new Set(keysOf(this.own()));
    if (!keysOf(bundle).some((key) => own.has(key))) return;
    throw new IssuerError(
      'invalid-argument',
      `the bundle of ${bundle.trustDomain.name} holds an authority of the server's own trust domain`,
    );
  }

  #refuseOwn(trustDomain: TrustDomain, doing: string): void {
    if (!trustDomain.equals(this.trustDomain)) return;
    throw new IssuerError('invalid-argument', `${doing} the server's own trust domain is not allowed`);
  }
}

const notFound = (): never => {
  throw new IssuerError('not-found', 'bundle not found');
};

/** Every public key that a bundle makes authoritative, in a form that compares. */
const keysOf = (bundle: TrustBundle): string[] =>
  [
    ...bundle.x509Authorities.map(({ certificate }) => certificate.spki),
    ...bundle.jwtAuthorities.map(({ spki }) => spki),
    ...bundle.witAuthorities.map(({ spki }) => spki),
  ].map((spki) => Buffer.from(spki).toString('base64'));
