import { type AgentRecord, IssuerError, sortSelectors } from '@steeple/core';
import { SpiffeId } from '@steeple/spiffe';
import type { Database } from './database.ts';
import { readMembers, replaceMembers } from './members.ts';
import { selectorFromText, selectorTexts } from './selector-text.ts';

/** A row of the table `agents`. */
export interface AgentRow {
  readonly row: number;
  readonly spiffe_id: string;
  readonly attestation_type: string;
  readonly serial: string;
  readonly expires_at: number;
  readonly new_serial: string;
  readonly new_expires_at: number;
  readonly can_reattest: number;
  readonly agent_version: string;
}

const SELECTORS = { table: 'agent_selectors', column: 'member', order: 'member' };

const UPSERT = `INSERT INTO agents (spiffe_id, attestation_type, serial, expires_at, new_serial, new_expires_at,
    can_reattest, agent_version)
  VALUES (@spiffe_id, @attestation_type, @serial, @expires_at, @new_serial, @new_expires_at, @can_reattest,
    @agent_version)
  ON CONFLICT (spiffe_id) DO UPDATE SET attestation_type = @attestation_type, serial = @serial,
    expires_at = @expires_at, new_serial = @new_serial, new_expires_at = @new_expires_at,
    can_reattest = @can_reattest,
    agent_version = CASE @agent_version WHEN '' THEN agent_version ELSE @agent_version END
  RETURNING row`;

/** Writes an agent with its selectors inside a transaction, and returns it as stored. */
export function upsertAgent(db: Database, agent: AgentRecord): AgentRecord {
  const written = db.get<{ row: number }>(UPSERT, {
    spiffe_id: agent.id.toString(),
    attestation_type: agent.attestationType,
    serial: agent.serial,
    expires_at: agent.expiresAt,
    new_serial: agent.newSerial,
    new_expires_at: agent.newExpiresAt,
    can_reattest: Number(agent.canReattest),
    agent_version: agent.agentVersion,
  });
  if (written === undefined) throw new IssuerError('internal', 'datastore-sql: the agent was not written');
  replaceMembers(db, SELECTORS, written.row, selectorTexts(agent.selectors));
  return requireAgent(db, agent.id);
}

export function findAgent(db: Database, id: SpiffeId): AgentRecord | undefined {
  const row = db.get<AgentRow>('SELECT * FROM agents WHERE spiffe_id = ?', [id.toString()]);
  return row && agentsOf(db, [row])[0];
}

/** @throws {IssuerError} `not-found` */
export function requireAgent(db: Database, id: SpiffeId): AgentRecord {
  const agent = findAgent(db, id);
  if (agent === undefined) throw new IssuerError('not-found', 'agent not found');
  return agent;
}

/** Rows with their selectors as records, in the same order. */
export function agentsOf(db: Database, rows: readonly AgentRow[]): AgentRecord[] {
  const selectors = readMembers(
    db,
    SELECTORS,
    rows.map(({ row }) => row),
  );
  return rows.map((row) => ({
    id: SpiffeId.parse(row.spiffe_id),
    attestationType: row.attestation_type,
    serial: row.serial,
    expiresAt: row.expires_at,
    newSerial: row.new_serial,
    newExpiresAt: row.new_expires_at,
    canReattest: row.can_reattest === 1,
    agentVersion: row.agent_version,
    selectors: sortSelectors((selectors.get(row.row) ?? []).map(selectorFromText)),
  }));
}
