import type { AgentFilter, AgentRecord } from '@steeple/core';
import type { SpiffeId } from '@steeple/spiffe';
import type { Page, PageRequest } from './page.ts';

/** The attested agents with their node selectors. Each method is one transaction. */
export interface AgentStore {
  /**
   * Writes what an attestation found: creates the agent, or replaces its serial, expiry and selectors. An empty
   * `agentVersion` keeps the stored one.
   *
   * @throws {IssuerError} `permission-denied` (agentReason `banned`) if the stored agent is banned, so that a ban during
   *   an attestation wins; only `delete` lifts it. With `onlyNew` (trust on first use) also for any other stored agent:
   *   of two that attest at the same time one wins.
   */
  save(agent: AgentRecord, options?: { readonly onlyNew?: boolean }): Promise<void>;
  get(id: SpiffeId): Promise<AgentRecord | undefined>;
  /** What `matchesAgent` selects. Empty sets in a filter are refused (`invalid-argument`). */
  list(query?: { readonly filter?: AgentFilter; readonly page?: PageRequest }): Promise<Page<AgentRecord>>;
  count(filter?: AgentFilter): Promise<number>;
  /** Everything, read at one moment. */
  loadAll(): Promise<readonly AgentRecord[]>;
  /**
   * Forgets an agent, and the entry that a join token with an agent ID made for it.
   *
   * @throws {IssuerError} `not-found`
   */
  delete(id: SpiffeId): Promise<void>;
  /**
   * Clears both serials: no SVID of this agent is accepted any more, and it cannot attest until it is deleted.
   *
   * @throws {IssuerError} `not-found`
   */
  ban(id: SpiffeId): Promise<void>;
  /**
   * First use of a renewed SVID: if `serial` is the staged one it becomes current, and the old one stops working.
   * Already current is fine too. Undefined if it is neither (or the agent is banned or gone); nothing changed then.
   */
  activateSerial(id: SpiffeId, serial: string): Promise<AgentRecord | undefined>;
  /**
   * Remembers a renewed SVID beside the current one, replacing an earlier staged one.
   *
   * @throws {IssuerError} `not-found`; `permission-denied` (agentReason `banned`).
   */
  stageSerial(id: SpiffeId, serial: string, expiresAt: number): Promise<void>;
  /** @throws {IssuerError} `not-found` */
  setVersion(id: SpiffeId, version: string): Promise<void>;
  /**
   * Removes agents whose SVID expired before a moment, at most `limit` of them, never banned ones, and those that
   * cannot attest again only if asked.
   *
   * @returns the SPIFFE IDs removed
   */
  pruneExpired(query: {
    readonly before: number;
    readonly limit: number;
    readonly includeNotReattestable: boolean;
  }): Promise<readonly string[]>;
}
