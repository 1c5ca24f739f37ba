import {
  type AuthorityKind,
  type AuthoritySlot,
  IssuerError,
  requireOldUpstream,
  requireRevocable,
  revokeInBundle,
  taintAuthority,
  taintInBundle,
  taintUnderUpstream,
} from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import type { AuthorityBook } from './authority-book.ts';
import type { Serial } from './serial.ts';

/** What is known of an authority that is, or was, ours or an upstream's. */
export type NamedAuthority = Pick<AuthoritySlot, 'authorityId'> & Partial<AuthoritySlot>;

const NAMES: Readonly<Record<AuthorityKind, string>> = {
  x509: 'X.509 authority',
  jwt: 'JWT authority',
  wit: 'WIT authority',
};

/**
 * Marks authorities as compromised and takes them out of the bundle, by SPIRE's rules and with its words. Beyond them it
 * takes authorities that are in the bundle without a slot of this server: what a server below published, and what lost
 * its slot to a second prepare.
 */
export class AuthorityTaints {
  readonly #book: AuthorityBook;
  readonly #serial: Serial;
  readonly #hasUpstream: boolean;
  readonly #logger: Logger;
  readonly #revokedHere = new Set<string>();

  constructor(book: AuthorityBook, serial: Serial, hasUpstream: boolean, logger: Logger) {
    this.#book = book;
    this.#serial = serial;
    this.#hasUpstream = hasUpstream;
    this.#logger = logger;
  }

  /** Key ids that this server no longer trusts, whatever its upstream says. */
  get revokedHere(): ReadonlySet<string> {
    const gone = (['jwt', 'wit'] as const).flatMap((kind) =>
      this.#book.slots[kind].filter(
        ({ tainted, authorityId }) => tainted && !this.#book.isPublished(kind, authorityId),
      ),
    );
    return new Set([...this.#revokedHere, ...gone.map(({ authorityId }) => authorityId)]);
  }

  /** @throws {IssuerError} with SPIRE's codes and texts */
  taint(kind: AuthorityKind, authorityId: string): Promise<NamedAuthority> {
    return this.#serial.run(async () => {
      const slots = this.#isForeign(kind, authorityId)
        ? this.#book.slots
        : taintAuthority(this.#book.slots, kind, authorityId, { hasUpstream: this.#hasUpstream });
      await prefixed(`failed to taint ${NAMES[kind]}`, () =>
        this.#book.save(slots, (bundle) => taintInBundle(bundle, kind, authorityId)),
      );
      this.#logger.warn('Authority tainted: what it signed is replaced', { kind, authority_id: authorityId });
      return this.#named(kind, authorityId);
    });
  }

  /** @throws {IssuerError} with SPIRE's codes and texts */
  revoke(kind: AuthorityKind, authorityId: string): Promise<NamedAuthority> {
    return this.#serial.run(async () => {
      const { slots } = this.#book;
      const isPublished = this.#book.isPublished(kind, authorityId);
      requireRevocable(slots, kind, authorityId, { hasUpstream: this.#hasUpstream }, isPublished);
      await prefixed(`failed to revoke ${NAMES[kind]}`, () =>
        this.#book.save(slots, (bundle) => revokeInBundle(bundle, kind, authorityId)),
      );
      this.#revokedHere.add(authorityId);
      this.#logger.warn('Authority revoked', { kind, authority_id: authorityId });
      if (kind !== 'x509' && this.#hasUpstream) {
        this.#logger.warn('Servers above still trust this key: taint and revoke it there too', {
          authority_id: authorityId,
        });
      }
      return this.#named(kind, authorityId);
    });
  }

  /** Marks a root above that signed the old authority. @throws {IssuerError} with SPIRE's codes and texts */
  taintUpstream(subjectKeyId: string): Promise<string> {
    const id = subjectKeyId.toLowerCase();
    return this.#serial.run(async () => {
      this.#requireOldUpstream(id, 'provided subject key id is not valid');
      const slots = taintUnderUpstream(this.#book.slots, ({ upstreamAuthorityId }) => upstreamAuthorityId === id);
      await prefixed('failed to taint upstream authority', () =>
        this.#book.save(slots, (bundle) => taintInBundle(bundle, 'x509', id)),
      );
      this.#logger.warn('Upstream authority tainted: what is under it is replaced', { subject_key_id: id });
      return id;
    });
  }

  /** Takes a tainted root above out of the bundle. @throws {IssuerError} with SPIRE's codes and texts */
  revokeUpstream(subjectKeyId: string): Promise<string> {
    const id = subjectKeyId.toLowerCase();
    return this.#serial.run(async () => {
      this.#requireOldUpstream(id, 'invalid subject key ID');
      await prefixed('failed to revoke X.509 upstream authority', () =>
        this.#book.save(this.#book.slots, (bundle) => revokeInBundle(bundle, 'x509', id)),
      );
      this.#logger.warn('Upstream authority revoked', { subject_key_id: id });
      return id;
    });
  }

  #requireOldUpstream(id: string, prefix: string): void {
    requireOldUpstream(this.#book.slots, id, { hasUpstream: this.#hasUpstream }, prefix);
  }

  #isForeign(kind: AuthorityKind, authorityId: string): boolean {
    if (kind === 'x509' && this.#hasUpstream) return false;
    const hasSlot = this.#book.slots[kind].some((slot) => slot.authorityId === authorityId);
    return !hasSlot && this.#book.isPublished(kind, authorityId);
  }

  #named(kind: AuthorityKind, authorityId: string): NamedAuthority {
    return this.#book.slots[kind].find((slot) => slot.authorityId === authorityId) ?? { authorityId };
  }
}

/** Says what failed when the bundle refuses a change. */
const prefixed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof IssuerError)) throw cause;
    throw new IssuerError(cause.code, `${what}: ${cause.message}`, { cause });
  }
};
