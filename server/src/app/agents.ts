import { type AgentFilter, type AgentRecord, IssuerError, LIMITS } from '@steeple/core';
import type { AgentStore, Page, PageRequest } from '@steeple/plugins';
import type { SpiffeId } from '@steeple/spiffe';

/** Longest agent version that is stored. */
const MAX_VERSION = LIMITS.agentVersionCharacters;

/** The attested agents, for administrators and for what agents say about themselves. */
export class Agents {
  readonly #store: AgentStore;

  constructor(store: AgentStore) {
    this.#store = store;
  }

  /** @throws {IssuerError} `not-found` */
  async get(id: SpiffeId): Promise<AgentRecord> {
    return (await this.#store.get(id)) ?? notFound();
  }

  list(filter: AgentFilter, page: PageRequest): Promise<Page<AgentRecord>> {
    return this.#store.list({ filter, page });
  }

  count(filter?: AgentFilter): Promise<number> {
    return this.#store.count(filter);
  }

  /** Refuses the agent from now on, also on the connections it has open. @throws {IssuerError} `not-found` */
  async ban(id: SpiffeId): Promise<void> {
    await orNotFound(this.#store.ban(id));
  }

  /** Forgets the agent: it has to attest anew. @throws {IssuerError} `not-found` */
  async evict(id: SpiffeId): Promise<void> {
    await orNotFound(this.#store.delete(id));
  }

  async setVersion(agent: AgentRecord, version: string): Promise<void> {
    if (version.length > MAX_VERSION) {
      throw new IssuerError('invalid-argument', `agent version is too long (max ${MAX_VERSION} characters)`);
    }
    if (version !== agent.agentVersion) await orNotFound(this.#store.setVersion(agent.id, version));
  }
}

const notFound = (cause?: unknown): never => {
  throw new IssuerError('not-found', 'agent not found', { cause });
};

const orNotFound = (work: Promise<void>): Promise<void> =>
  work.catch((error: unknown) => {
    throw error instanceof IssuerError && error.code === 'not-found' ? notFound(error) : error;
  });
