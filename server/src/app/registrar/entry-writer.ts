import { setImmediate } from 'node:timers/promises';
import { checkEntry, type EntryPlan, IssuerError, planEntries, type RegistrationEntry } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import type { TrustDomain } from '@steeple/spiffe';
import type { Entries } from '../entries.ts';
import { type RandomBytes, uuid } from '../randomness.ts';
import { compareOwners, type Declared, type Owner } from './registrations.ts';

/** Entries that are written before others get their turn. */
const TURN = 250;

export interface EntryWriterParts {
  readonly trustDomain: TrustDomain;
  readonly prefix: string;
  readonly entries: Entries;
  readonly random: RandomBytes;
  readonly logger: Logger;
}

interface WriteOptions {
  /** Whether an entry that nobody declares may go. */
  readonly mayRemove: (entry: RegistrationEntry) => boolean;
  /** Hears of what was refused. */
  readonly tell: (what: string, error: Error) => void;
}

/** Makes the stored entries be the declared ones. */
export class EntryWriter {
  readonly #parts: EntryWriterParts;

  constructor(parts: EntryWriterParts) {
    this.#parts = parts;
  }

  /** What is new is there before what is old goes. @returns how many were refused */
  async write(
    current: Iterable<readonly [key: string, entry: RegistrationEntry]>,
    declared: readonly Declared[],
    { mayRemove, tell }: WriteOptions,
  ): Promise<number> {
    const plan: EntryPlan<Owner> = planEntries(current, declared, compareOwners);
    for (const { by } of plan.masked) {
      if (by.kind === 'ClusterSPIFFEID') by.stats.entriesMasked += 1;
      else by.state.masked = true;
    }
    let refused = 0;
    const settle = ({ by, draft }: Declared, error?: Error): void => {
      if (by.kind === 'ClusterSPIFFEID') by.stats.entriesToSet += 1;
      if (error === undefined) {
        if (by.kind === 'ClusterStaticEntry') by.state.set = true;
        return;
      }
      refused += 1;
      if (by.kind === 'ClusterSPIFFEID') by.stats.entryFailures += 1;
      tell(`${by.kind} ${by.source.metadata.name}, entry for ${draft.spiffeId.toString()}`, error);
    };
    for (const { declared: one } of plan.keep) settle(one);
    for (const portion of portionsOf(plan.create)) await this.#create(portion, settle);
    for (const portion of portionsOf(plan.update)) {
      for (const { old, declared: one } of portion) settle(one, await this.#update(old, one));
      await setImmediate();
    }
    for (const portion of portionsOf(plan.remove.filter(mayRemove))) await this.#remove(portion);
    return refused;
  }

  async #create(declared: readonly Declared[], settle: (one: Declared, error?: Error) => void): Promise<void> {
    const { entries, prefix, random, trustDomain, logger } = this.#parts;
    const good = declared.filter((one) => {
      const error = problemOf(() => checkEntry(one.draft, trustDomain));
      if (error) settle(one, error);
      return error === undefined;
    });
    const made = await entries.create(good.map(({ draft }) => ({ ...draft, id: `${prefix}.${uuid(random)}` })));
    for (const [at, one] of good.entries()) {
      const result = made[at];
      if (result === undefined) continue;
      if ('error' in result) settle(one, result.error);
      else if (result.existed) settle(one, new Error(`entry ${result.entry.id}, which others made, is the same`));
      else {
        settle(one);
        logger.info('Entry registered', fieldsOf(result.entry, one));
      }
    }
    await setImmediate();
  }

  async #update(old: RegistrationEntry, one: Declared): Promise<Error | undefined> {
    const { entries, trustDomain, logger } = this.#parts;
    try {
      checkEntry(one.draft, trustDomain);
      const { draft } = one;
      const next = await entries.update(old.id, ({ id, revision, createdAt }) => ({
        ...draft,
        id,
        revision,
        createdAt,
      }));
      logger.info('Entry changed', fieldsOf(next, one));
      return undefined;
    } catch (error) {
      if (error instanceof IssuerError) return error;
      throw error;
    }
  }

  async #remove(gone: readonly RegistrationEntry[]): Promise<void> {
    await this.#parts.entries.delete(gone.map(({ id }) => id));
    for (const { id, spiffeId } of gone) {
      this.#parts.logger.info('Entry removed', { entry_id: id, spiffe_id: spiffeId.toString() });
    }
    await setImmediate();
  }
}

const fieldsOf = ({ id, spiffeId }: RegistrationEntry, { by }: Declared): Record<string, string> => ({
  entry_id: id,
  spiffe_id: spiffeId.toString(),
  object: `${by.kind} ${by.source.metadata.name}`,
});

function* portionsOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += TURN) yield all.slice(start, start + TURN);
}

const problemOf = (check: () => void): Error | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof IssuerError) return error;
    throw error;
  }
};
