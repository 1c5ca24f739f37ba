import type { KeyObject } from 'node:crypto';
import { rotateAt } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { generateKey, spkiOf } from '@steeple/spiffe';
import { type AgentEntry, sameVersion } from './agent-entry.ts';
import type { ServerApi } from './server-api.ts';
import { tokenKeyId } from './token-key-id.ts';

export interface WitCacheParts {
  readonly server: Pick<ServerApi, 'newWitSvids'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** A WIT-SVID with its key. */
export interface HeldWit {
  readonly entry: AgentEntry;
  readonly token: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly expiresAt: number;
  readonly rotateAt: number;
}

const KEY_TYPE = 'ec-p256';
const ALGORITHM = 'ES256';
/** Seconds before a failed renewal is tried again. */
const RETRY = 5;

/** WIT-SVIDs by entry, issued when first asked for. The key is made here, one for each token, and the server sees its public half. */
export class WitCache {
  readonly #parts: WitCacheParts;
  readonly #held = new Map<string, HeldWit>();

  constructor(parts: WitCacheParts) {
    this.#parts = parts;
  }

  /**
   * A valid WIT-SVID for each of the entries, in their order, and the moment to ask again. Those that cannot be renewed in
   * time are served as long as they are valid.
   *
   * @throws GrpcError of the server when an entry has none
   */
  async get(
    entries: readonly AgentEntry[],
    signal: AbortSignal,
  ): Promise<{ readonly wits: readonly HeldWit[]; readonly askAgainAt: number }> {
    const now = this.#parts.clock.now();
    const due = entries.filter((entry) => (this.#usable(entry, now)?.rotateAt ?? now) <= now);
    const failure = due.length === 0 ? undefined : await this.#issue(due, signal);
    const wits = entries.map((entry) => {
      const held = this.#usable(entry, this.#parts.clock.now());
      if (held !== undefined) return held;
      throw failure ?? GrpcError.of(Code.UNAVAILABLE, 'no WIT-SVID could be issued');
    });
    const next = Math.min(...wits.map((wit) => wit.rotateAt));
    return { wits, askAgainAt: failure === undefined ? next : Math.max(next, now + RETRY) };
  }

  /** Forgets what belongs to entries that are gone. */
  retainEntries(entries: ReadonlyMap<string, AgentEntry>): void {
    for (const id of this.#held.keys()) if (!entries.has(id)) this.#held.delete(id);
  }

  /** Forgets the tokens of keys that are not among those trusted. */
  retainKeys(kids: ReadonlySet<string>): void {
    for (const [id, { kid }] of this.#held) if (!kids.has(kid)) this.#held.delete(id);
  }

  #usable(entry: AgentEntry, now: number): HeldWit | undefined {
    const held = this.#held.get(entry.id);
    return held !== undefined && held.expiresAt > now && sameVersion(held.entry, entry) ? held : undefined;
  }

  /** Returns the failure, because an entry that still has a token does not mind. */
  async #issue(entries: readonly AgentEntry[], signal: AbortSignal): Promise<unknown> {
    const { server, logger } = this.#parts;
    const keys = entries.map(() => generateKey(KEY_TYPE));
    const requests = entries.map((entry, index) => ({
      entryId: entry.id,
      publicKey: spkiOf(keys[index] as KeyObject),
      algorithm: ALGORITHM,
    }));
    let failure: unknown;
    try {
      const results = await server.newWitSvids(requests, signal);
      for (const [index, entry] of entries.entries()) {
        const result = results[index];
        if (result?.ok === true) this.#keep(entry, keys[index] as KeyObject, result.value);
        else failure = GrpcError.of(Code.UNAVAILABLE, `no WIT-SVID for an identity: ${result?.message ?? 'no answer'}`);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
    }
    if (failure !== undefined) logger.warn('Could not get WIT-SVIDs', { count: entries.length, error: failure });
    return failure;
  }

  #keep(
    entry: AgentEntry,
    privateKey: KeyObject,
    { token, issuedAt, expiresAt }: { token: string; issuedAt: number; expiresAt: number },
  ): void {
    const moment = rotateAt(issuedAt, expiresAt, this.#parts.random());
    this.#held.set(entry.id, { entry, token, kid: tokenKeyId(token), privateKey, expiresAt, rotateAt: moment });
  }
}
