import { type AgentFilter, type AgentRecord, IssuerError, isBanned } from '@steeple/core';
import type { SpiffeId } from '@steeple/spiffe';
import type { AgentStore } from '../agent-store.ts';
import type { Page, PageRequest } from '../page.ts';
import { AgentCache } from './agent-cache.ts';
import { type AgentRow, agentsOf, findAgent, requireAgent, upsertAgent } from './agent-rows.ts';
import type { ChangeLog } from './change-log.ts';
import { Conditions } from './conditions.ts';
import type { Database, Parameter } from './database.ts';
import { deleteEntry } from './entries.ts';
import { countRows, listRows } from './selection.ts';
import { selectorsKey, selectorTexts } from './selector-text.ts';

export class SqliteAgents implements AgentStore {
  readonly #db: Database;
  readonly #cache: AgentCache;

  constructor(db: Database) {
    this.#db = db;
    this.#cache = new AgentCache(db);
  }

  async save(agent: AgentRecord, options: { readonly onlyNew?: boolean } = {}): Promise<void> {
    await this.#db.write((changes) => {
      if (options.onlyNew === true && findAgent(this.#db, agent.id) !== undefined) throw alreadyUsed();
      saveAgent(this.#db, agent, changes);
    });
  }

  async get(id: SpiffeId): Promise<AgentRecord | undefined> {
    return this.#cache.get(id, () => findAgent(this.#db, id));
  }

  async list(query: { readonly filter?: AgentFilter; readonly page?: PageRequest } = {}): Promise<Page<AgentRecord>> {
    const from = { table: 'agents' as const, where: conditions(query.filter), page: query.page };
    return listRows(this.#db, from, (rows) => agentsOf(this.#db, rows));
  }

  async count(filter?: AgentFilter): Promise<number> {
    return countRows(this.#db, 'agents', conditions(filter));
  }

  async loadAll(): Promise<readonly AgentRecord[]> {
    return agentsOf(this.#db, this.#db.all<AgentRow>('SELECT * FROM agents ORDER BY row'));
  }

  async delete(id: SpiffeId): Promise<void> {
    await this.#db.write((changes) => deleteAgent(this.#db, requireAgent(this.#db, id), changes));
  }

  async ban(id: SpiffeId): Promise<void> {
    await this.#change(id, () => ["serial = '', new_serial = '', new_expires_at = 0", []]);
  }

  async activateSerial(id: SpiffeId, serial: string): Promise<AgentRecord | undefined> {
    return this.#db.write((changes) => {
      const agent = findAgent(this.#db, id);
      // Empty texts mean "none" in the record, so an empty serial must equal nothing.
      if (agent === undefined || isBanned(agent) || serial === '') return undefined;
      if (serial === agent.serial) return agent;
      if (serial !== agent.newSerial) return undefined;
      const activated = upsertAgent(this.#db, {
        ...agent,
        serial,
        expiresAt: agent.newExpiresAt,
        newSerial: '',
        newExpiresAt: 0,
      });
      changes.putAgent(activated);
      return activated;
    });
  }

  async stageSerial(id: SpiffeId, serial: string, expiresAt: number): Promise<void> {
    if (serial === '') throw new IssuerError('invalid-argument', 'the renewed SVID has no serial number');
    await this.#change(id, (agent) => {
      refuseBanned(agent);
      return ['new_serial = ?, new_expires_at = ?', [serial, expiresAt]];
    });
  }

  async setVersion(id: SpiffeId, version: string): Promise<void> {
    await this.#change(id, () => ['agent_version = ?', [version]]);
  }

  async pruneExpired(query: Parameters<AgentStore['pruneExpired']>[0]): Promise<readonly string[]> {
    return this.#db.write((changes) => {
      const rows = this.#db.all<AgentRow>(
        `SELECT * FROM agents WHERE expires_at < ? AND serial <> '' AND (can_reattest = 1 OR ?)
         ORDER BY expires_at LIMIT ?`,
        [query.before, Number(query.includeNotReattestable), query.limit],
      );
      const agents = agentsOf(this.#db, rows);
      for (const agent of agents) deleteAgent(this.#db, agent, changes);
      return agents.map(({ id }) => id.toString());
    });
  }

  #change(id: SpiffeId, assignments: (agent: AgentRecord) => [sql: string, values: Parameter[]]): Promise<void> {
    return this.#db.write((changes) => {
      const [sql, values] = assignments(requireAgent(this.#db, id));
      this.#db.run(`UPDATE agents SET ${sql} WHERE spiffe_id = ?`, [...values, id.toString()]);
      changes.putAgent(requireAgent(this.#db, id));
    });
  }
}

/** Writes what an attestation found, inside a transaction. @throws {IssuerError} as `AgentStore.save` */
export function saveAgent(db: Database, agent: AgentRecord, changes: ChangeLog): void {
  // An empty serial means banned, and only `ban` bans.
  if (agent.serial === '') throw new IssuerError('invalid-argument', 'the agent has no serial number');
  const old = findAgent(db, agent.id);
  if (old !== undefined) refuseBanned(old);
  changes.putAgent(upsertAgent(db, agent));
}

function deleteAgent(db: Database, agent: AgentRecord, changes: ChangeLog): void {
  const id = agent.id.toString();
  db.run('DELETE FROM agents WHERE spiffe_id = ?', [id]);
  changes.removeAgent(id);
  if (agent.attestationType !== 'join_token') return;
  // The entry that CreateJoinToken makes for a token with an agent ID.
  const vanity = db.all<{ id: string }>('SELECT id FROM entries WHERE parent_id = ? AND selectors_key = ?', [
    id,
    selectorsKey([{ type: 'spiffe_id', value: id }]),
  ]);
  for (const entry of vanity) deleteEntry(db, entry.id, changes);
}

function alreadyUsed(): IssuerError {
  return new IssuerError('permission-denied', 'attestation data has already been used to attest an agent');
}

function refuseBanned(agent: AgentRecord): void {
  if (!isBanned(agent)) return;
  throw new IssuerError('permission-denied', 'failed to attest: agent is banned', { agentReason: 'banned' });
}

function conditions(filter: AgentFilter = {}): Conditions {
  const conditions = new Conditions()
    .equal('attestation_type', filter.attestationType)
    .equal('can_reattest', filter.canReattest)
    .addIf(filter.banned === true, "serial = ''")
    .addIf(filter.banned === false, "serial <> ''")
    .members(
      'agent_selectors',
      filter.selectors && selectorTexts(filter.selectors.selectors),
      filter.selectors?.match,
      'empty selector set',
    );
  return filter.expiresBefore === undefined ? conditions : conditions.add('expires_at < ?', filter.expiresBefore);
}
