import { type EntryDraft, type EntryFilter, IssuerError, type RegistrationEntry } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { EntryStore, Page, PageRequest } from '@steeple/plugins';
import { type RandomBytes, uuid } from './randomness.ts';

/** What became of one draft: the stored entry, or the similar one that stands, or the refusal. */
export type Created =
  | { readonly entry: RegistrationEntry; readonly existed: boolean }
  | { readonly error: IssuerError };

/** The registration entries, for administrators. Drafts and changes are checked where they are read. */
export class Entries {
  readonly #store: EntryStore;
  readonly #clock: Clock;
  readonly #random: RandomBytes;

  constructor(store: EntryStore, clock: Clock, random: RandomBytes) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /** Stores each draft, or tells why not; in the order given. */
  async create(drafts: readonly EntryDraft[]): Promise<readonly Created[]> {
    if (drafts.length === 0) return [];
    const made = await this.#store.create(drafts.map((draft) => this.toEntry(draft)));
    return made.map((result) =>
      result.error
        ? { error: storeError('failed to create entry', result.error) }
        : { entry: result.entry, existed: result.existed },
    );
  }

  /** An entry as it would be stored now. */
  toEntry(draft: EntryDraft): RegistrationEntry {
    return { ...draft, id: draft.id ?? uuid(this.#random), revision: 0, createdAt: Math.floor(this.#clock.now()) };
  }

  /** @throws {IssuerError} `not-found`, or what `change` throws */
  async update(id: string, change: (old: RegistrationEntry) => RegistrationEntry): Promise<RegistrationEntry> {
    let refused: unknown;
    try {
      return await this.#store.update(id, (old) => {
        try {
          return change(old);
        } catch (error) {
          refused = error;
          throw error;
        }
      });
    } catch (error) {
      throw error === refused ? error : storeError('failed to update entry', error);
    }
  }

  /** For each id whether there was such an entry. */
  delete(ids: readonly string[]): Promise<readonly boolean[]> {
    return this.#store.delete(ids);
  }

  /** @throws {IssuerError} `not-found` */
  async get(id: string): Promise<RegistrationEntry> {
    if (id === '') throw new IssuerError('invalid-argument', 'missing ID');
    return (await this.#store.get(id)) ?? notFound();
  }

  list(filter: EntryFilter, page: PageRequest): Promise<Page<RegistrationEntry>> {
    return this.#store.list({ filter, page });
  }

  count(filter?: EntryFilter): Promise<number> {
    return this.#store.count(filter);
  }
}

const notFound = (): never => {
  throw new IssuerError('not-found', 'entry not found');
};

/** The store's refusal in SPIRE's words: an unknown federated bundle is Internal there, and not found has no inner text. */
const storeError = (text: string, cause: unknown): IssuerError => {
  if (!(cause instanceof IssuerError)) return new IssuerError('internal', text, { cause });
  if (cause.code === 'not-found') return new IssuerError('not-found', text, { cause });
  const code = cause.code === 'invalid-argument' ? 'internal' : cause.code;
  return new IssuerError(code, `${text}: ${cause.message}`, { cause });
};
