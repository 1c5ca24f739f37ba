import { rotateAt } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { orAborted } from '@steeple/proto/grpc';
import { type JwtSvid, parseJwtSvidUnverified } from '@steeple/spiffe';
import { type AgentEntry, sameVersion } from './agent-entry.ts';
import type { ServerApi } from './server-api.ts';
import { tokenKeyId } from './token-key-id.ts';
import { pause } from './wake-up.ts';

export interface JwtCacheParts {
  readonly server: Pick<ServerApi, 'newJwtSvid'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Tokens kept at most; the one unused for longest goes first. */
  readonly maxSize: number;
  /** Seconds to wait for a fresher token while a valid one is at hand. */
  readonly hitTimeout: number;
  /** Told when another token is kept. */
  readonly onChange?: () => void;
}

interface Held {
  readonly entryId: string;
  readonly svid: JwtSvid;
  readonly kid: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly rotateAt: number;
}

/** A token that ends sooner than this, in seconds, is as good as gone: it would expire on its way. */
const TOO_SHORT = 2;

/**
 * JWT-SVIDs by entry and audience.
 *
 * J1. One question to the server per entry and audience at a time, however many callers wait.
 * J2. From half of its life on a token is renewed, but while it is valid it is also good enough: a server that is slow
 *     or away costs a caller nothing.
 * J3. A token issued for an older version of its entry, or by a key that is no more trusted, is not served.
 * J4. Tokens meant to be unique (`jti`) are not kept.
 */
export class JwtCache {
  readonly #parts: JwtCacheParts;
  // Ordered by last use.
  readonly #held = new Map<string, Held>();
  readonly #asked = new Map<string, Promise<Held>>();
  #trusted: ReadonlySet<string> = new Set();
  /** Key ids that were trusted once; few, because authorities are. */
  readonly #dropped = new Set<string>();

  constructor(parts: JwtCacheParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * A token for exactly this set of audiences, in any order.
   *
   * @throws GrpcError of the server when there is none in stock
   */
  async get(entry: AgentEntry, audience: readonly string[], signal: AbortSignal): Promise<JwtSvid> {
    if (entry.jwtSvidIncludeJti) return (await this.#ask(entry, audience, signal)).svid; // J4
    const key = JSON.stringify([entry.id, ...[...new Set(audience)].sort()]);
    const held = this.#usable(key, entry);
    if (held !== undefined && held.rotateAt > this.#parts.clock.now()) return held.svid;
    const fresh = this.#askOnce(key, entry, audience);
    if (held === undefined) return (await orAborted(fresh, signal)).svid;
    return (await this.#orHeld(fresh, held)).svid; // J2
  }

  /** Forgets the tokens of entries that are gone (J3). */
  retainEntries(entries: ReadonlyMap<string, AgentEntry>): void {
    for (const [key, { entryId }] of this.#held) if (!entries.has(entryId)) this.#held.delete(key);
  }

  /** Forgets the tokens of keys that are not among those trusted (J3). */
  retainKeys(kids: ReadonlySet<string>): void {
    for (const kid of this.#trusted) if (!kids.has(kid)) this.#dropped.add(kid);
    this.#trusted = kids;
    for (const [key, { kid }] of this.#held) if (!kids.has(kid)) this.#held.delete(key);
  }

  #usable(key: string, entry: AgentEntry): Held | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    this.#held.delete(key);
    if (held.svid.expiresAt <= this.#parts.clock.now() + TOO_SHORT || !sameVersion(held, entry)) return undefined;
    this.#held.set(key, held); // used last
    return held;
  }

  #askOnce(key: string, entry: AgentEntry, audience: readonly string[]): Promise<Held> {
    const running = this.#asked.get(key); // J1
    if (running !== undefined) return running;
    // Not the caller's signal: others may be waiting for the same answer.
    const asked = this.#ask(entry, audience, new AbortController().signal)
      .then((held) => {
        this.#keep(key, held);
        return held;
      })
      .finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  async #ask(entry: AgentEntry, audience: readonly string[], signal: AbortSignal): Promise<Held> {
    const { server, clock, random } = this.#parts;
    const issued = await server.newJwtSvid(entry.id, audience, signal);
    const svid = parseJwtSvidUnverified(issued.token, audience, { now: clock.now(), hint: entry.hint });
    if (!svid.id.equals(entry.spiffeId))
      throw new Error(`the server issued a JWT-SVID of ${svid.id.toString()} instead`);
    const issuedAt = issued.issuedAt || (svid.issuedAt ?? clock.now());
    return {
      entryId: entry.id,
      svid,
      kid: tokenKeyId(issued.token),
      revision: entry.revision,
      createdAt: entry.createdAt,
      rotateAt: rotateAt(issuedAt, svid.expiresAt, random()),
    };
  }

  #keep(key: string, held: Held): void {
    // It was on its way when its key was dropped.
    if (this.#dropped.has(held.kid)) return;
    this.#held.delete(key);
    this.#held.set(key, held);
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= this.#parts.maxSize) break;
      this.#held.delete(oldest);
    }
    this.#parts.onChange?.();
  }

  /** The fresh token if it comes in time, else the one at hand. */
  async #orHeld(fresh: Promise<Held>, held: Held): Promise<Held> {
    const { clock, logger, hitTimeout } = this.#parts;
    const done = new AbortController();
    const renewed = fresh.catch((error: unknown) => {
      logger.warn('Could not renew a JWT-SVID; serving the one at hand', { spiffeId: held.svid.id.toString(), error });
      return held;
    });
    try {
      return await Promise.race([renewed, pause(clock, hitTimeout, done.signal).then(() => held)]);
    } finally {
      done.abort();
    }
  }
}
