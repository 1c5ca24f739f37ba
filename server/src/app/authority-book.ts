import {
  type AuthorityKind,
  type AuthoritySlot,
  type AuthoritySlots,
  type AuthorityState,
  authorityState,
  IssuerError,
  NO_AUTHORITIES,
} from '@steeple/core';
import type { AuthorityJournal } from '@steeple/plugins';
import type { TrustBundle } from '@steeple/spiffe';
import type { Bundles } from './bundles.ts';

/**
 * The authorities of this server as they are stored: slots and bundle change in one transaction, or not at all. Writers
 * take turns, see `Serial`.
 */
export class AuthorityBook {
  readonly bundles: Bundles;
  readonly #journal: AuthorityJournal;
  #slots: AuthoritySlots = NO_AUTHORITIES;

  constructor(journal: AuthorityJournal, bundles: Bundles) {
    this.#journal = journal;
    this.bundles = bundles;
  }

  get slots(): AuthoritySlots {
    return this.#slots;
  }

  async load(): Promise<void> {
    this.#slots = await this.#journal.load();
  }

  /** Takes slots out of sight whose keys are gone; what is stored changes at the next `save`. */
  keep(kind: AuthorityKind, slots: readonly AuthoritySlot[]): void {
    this.#slots = { ...this.#slots, [kind]: slots };
  }

  state(kind: AuthorityKind): AuthorityState {
    return authorityState(this.#slots, kind);
  }

  /** @throws {IssuerError} `internal` if there is no such slot */
  slot(kind: AuthorityKind, authorityId: string): AuthoritySlot {
    const slot = this.#slots[kind].find((one) => one.authorityId === authorityId);
    if (!slot) throw new IssuerError('internal', 'the authority has left its slot');
    return slot;
  }

  /** Whether the own bundle has this authority, by subject key id or key id. */
  isPublished(kind: AuthorityKind, authorityId: string): boolean {
    const { x509Authorities, ...keys } = this.bundles.own();
    if (kind !== 'x509') return keys[`${kind}Authorities`].some(({ kid }) => kid === authorityId);
    return x509Authorities.some(({ certificate }) => certificate.subjectKeyId === authorityId);
  }

  /** Stores slots and what they make of the own bundle. */
  async save(slots: AuthoritySlots, change: (bundle: TrustBundle) => TrustBundle = (bundle) => bundle): Promise<void> {
    const stored = this.bundles.storedOwn();
    const bundle = change(this.bundles.own());
    const unchanged = stored !== undefined && bundle.equals(stored);
    if (!unchanged) await this.#journal.save(slots, bundle, stored ? stored.sequence : 'absent');
    else if (slots !== this.#slots) await this.#journal.save(slots);
    this.#slots = slots;
  }
}
