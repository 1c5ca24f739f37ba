import type { types } from '@steeple/proto/server-api';
import { idText } from '../spiffe-id-flag.ts';
import { expiry } from './relative-time.ts';
import { type Column, table } from './table.ts';

type Agent = types.Agent;

export function agentTable(agents: readonly Agent[], now: number, look: { wide: boolean; colour: boolean }): string {
  if (agents.length === 0) return 'no agents; let one join with `steeple token generate`';
  const columns: Column<Agent>[] = [
    { title: 'SPIFFE ID', cell: ({ id }) => idText(id) },
    { title: 'ATTESTED BY', cell: ({ attestationType }) => attestationType },
    { title: 'STATE', cell: (agent) => state(agent, now) },
    { title: 'SVID EXPIRES', cell: (agent) => (agent.banned ? '-' : expiry(Number(agent.x509svidExpiresAt), now)) },
    { title: 'RE-ATTESTS', cell: ({ canReattest }) => (canReattest ? 'yes' : 'no') },
    { title: 'VERSION', cell: ({ agentVersion }) => agentVersion || '-', wide: true },
    { title: 'SERIAL', cell: ({ x509svidSerialNumber }) => x509svidSerialNumber, wide: true },
    {
      title: 'SELECTORS',
      cell: ({ selectors }) => selectors.map((s) => `${s.type}:${s.value}`).join(', '),
      wide: true,
    },
  ];
  return table(agents, columns, look);
}

function state(agent: Agent, now: number): string {
  if (agent.banned) return 'banned';
  return Number(agent.x509svidExpiresAt) > now ? 'active' : 'expired';
}
