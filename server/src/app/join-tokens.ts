import { agentId, draftEntry, type EntryDraft, IssuerError } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { JoinToken, JoinTokenStore } from '@steeple/plugins';
import { SpiffeError, type SpiffeId, type TrustDomain } from '@steeple/spiffe';
import type { Entries } from './entries.ts';
import { type RandomBytes, uuid } from './randomness.ts';

/** Makes the single-use secrets with which nodes join. */
export class JoinTokens {
  readonly #trustDomain: TrustDomain;
  readonly #store: JoinTokenStore;
  readonly #entries: Entries;
  readonly #clock: Clock;
  readonly #random: RandomBytes;

  constructor(trustDomain: TrustDomain, store: JoinTokenStore, entries: Entries, clock: Clock, random: RandomBytes) {
    this.#trustDomain = trustDomain;
    this.#store = store;
    this.#entries = entries;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Stores a token for `ttl` seconds, and with an ID for the node the entry that gives it to the agent.
   *
   * @throws {IssuerError} `invalid-argument`, `already-exists`
   */
  async create(ttl: number, wanted = '', nodeId?: SpiffeId): Promise<JoinToken> {
    if (ttl < 1) throw new IssuerError('invalid-argument', 'ttl is required, you must provide one');
    const value = wanted === '' ? uuid(this.#random) : wanted;
    const agent = this.#agentOf(value);
    const token = { token: value, expiresAt: Math.floor(this.#clock.now()) + ttl };
    await this.#store.create(token, nodeId && this.#entries.toEntry(vanityEntry(agent, nodeId)));
    return token;
  }

  // The token becomes a segment of the agent's ID, so it must be one.
  #agentOf(token: string): SpiffeId {
    try {
      return agentId(this.#trustDomain, 'join_token', token);
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw new IssuerError('invalid-argument', 'token must consist of letters, digits, dots, dashes and underscores', {
        cause,
      });
    }
  }
}

const vanityEntry = (agent: SpiffeId, spiffeId: SpiffeId): EntryDraft =>
  draftEntry({ parentId: agent, spiffeId, selectors: [{ type: 'spiffe_id', value: agent.toString() }] });
