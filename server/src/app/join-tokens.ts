import { agentId, checkJoinToken, draftEntry, type EntryDraft, IssuerError } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { JoinToken, JoinTokenStore } from '@steeple/plugins';
import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
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
    checkJoinToken(value);
    const agent = agentId(this.#trustDomain, 'join_token', value);
    const token = { token: value, expiresAt: Math.floor(this.#clock.now()) + ttl };
    await this.#store.create(token, nodeId && this.#entries.toEntry(vanityEntry(agent, nodeId)));
    return token;
  }
}

const vanityEntry = (agent: SpiffeId, spiffeId: SpiffeId): EntryDraft =>
  draftEntry({ parentId: agent, spiffeId, selectors: [{ type: 'spiffe_id', value: agent.toString() }] });
