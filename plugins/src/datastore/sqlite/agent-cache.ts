import type { AgentRecord } from '@steeple/core';
import type { SpiffeId } from '@steeple/spiffe';
import type { Database } from './database.ts';

/** Records kept, at about one kilobyte each. */
const LIMIT = 20_000;

/**
 * Agents that were asked for, as they are stored. The server asks at every call of an agent, and reading row and
 * selectors took 65 of some 360 µs.
 *
 * It is never behind the file: this process holds that alone, and each commit is taken over before the write returns. A
 * database that others write to as well must not be read through it.
 */
export class AgentCache {
  readonly #db: Database;
  readonly #known = new Map<string, AgentRecord>();

  constructor(db: Database) {
    this.#db = db;
    db.watch(({ agents }) => {
      for (const id of agents.removed) this.#known.delete(id);
      for (const agent of agents.put) if (this.#known.has(agent.id.toString())) this.#keep(agent);
    });
  }

  /** The known record, or the one that `find` reads. */
  get(id: SpiffeId, find: () => AgentRecord | undefined): AgentRecord | undefined {
    this.#db.requireOpen();
    const known = this.#known.get(id.toString());
    if (known !== undefined) return known;
    const agent = find();
    if (agent !== undefined) this.#keep(agent);
    return agent;
  }

  #keep(agent: AgentRecord): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= LIMIT && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(agent.id.toString(), agent);
  }
}
