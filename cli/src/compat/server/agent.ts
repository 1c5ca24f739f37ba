import { create } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { agentV1, types } from '@steeple/proto/server-api';
import { type Call, counted } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec } from '../go/flag-set.ts';
import { localTime } from '../go/time.ts';
import { outputFlag } from '../output-flag.ts';
import { idText, readId, type WireId } from '../spiffe-id.ts';
import { agentFilter, agentFilterFlags } from './agent-filter.ts';
import { purge } from './agent-purge.ts';

const idFlag = (verb: string): FlagSpec => ({
  name: 'spiffeID',
  kind: stringFlag,
  usage: `The SPIFFE ID of the agent to ${verb} (agent identity)`,
});

const agentId = ({ flags }: Call): WireId => {
  if (flags.text('spiffeID') === '') throw new CommandError('a SPIFFE ID is required');
  return readId(flags.text('spiffeID'));
};

const count: CallCommand = {
  path: 'agent count',
  synopsis: 'Count attested agents',
  on: 'server',
  flags: [...agentFilterFlags, outputFlag],
  run: async (call) => {
    const answer = await call.client(agentV1.Agent).countAgents({ filter: agentFilter(call.flags) });
    await call.answer(agentV1.CountAgentsResponseSchema, answer, () =>
      call.line(counted(answer.count, 'attested agent', 'attested agents')),
    );
  },
};

const list: CallCommand = {
  path: 'agent list',
  synopsis: 'Lists attested agents and their SPIFFE IDs',
  on: 'server',
  flags: [...agentFilterFlags, outputFlag],
  run: async (call) => {
    const filter = agentFilter(call.flags);
    const client = call.client(agentV1.Agent);
    const answer = create(agentV1.ListAgentsResponseSchema);
    for (let pageToken = ''; ; ) {
      const page = await client.listAgents({ filter, pageSize: 1000, pageToken });
      answer.agents.push(...page.agents);
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    await call.answer(agentV1.ListAgentsResponseSchema, answer, () => {
      if (answer.agents.length === 0) return call.line('No attested agents found');
      call.line(`Found ${counted(answer.agents.length, 'attested agent', 'attested agents')}:\n`);
      for (const agent of answer.agents) tell(call, agent);
    });
  },
};

const show: CallCommand = {
  path: 'agent show',
  synopsis: 'Shows the details of an attested agent given its SPIFFE ID',
  on: 'server',
  flags: [idFlag('show'), outputFlag],
  run: async (call) => {
    const agent = await call.client(agentV1.Agent).getAgent({ id: agentId(call) });
    await call.answer(types.AgentSchema, agent, () => {
      call.line('Found an attested agent given its SPIFFE ID\n');
      tell(call, agent);
      for (const { type, value } of agent.selectors) call.line(`Selectors         : ${type}:${value}`);
    });
  },
};

const ban: CallCommand = {
  path: 'agent ban',
  synopsis: 'Ban an attested agent given its SPIFFE ID',
  on: 'server',
  flags: [idFlag('ban'), outputFlag],
  run: async (call) => {
    const answer = await call.client(agentV1.Agent).banAgent({ id: agentId(call) });
    await call.answer(EmptySchema, answer, () => call.line('Agent banned successfully'));
  },
};

const evict: CallCommand = {
  path: 'agent evict',
  synopsis: 'Evicts an attested agent given its SPIFFE ID',
  on: 'server',
  flags: [idFlag('evict'), outputFlag],
  run: async (call) => {
    const answer = await call.client(agentV1.Agent).deleteAgent({ id: agentId(call) });
    await call.answer(EmptySchema, answer, () => call.line('Agent evicted successfully'));
  },
};

const tell = (call: Call, agent: types.Agent): void => {
  call.line(`SPIFFE ID         : ${idText(agent.id)}`);
  call.line(`Attestation type  : ${agent.attestationType}`);
  call.line(`Expiration time   : ${localTime(Number(agent.x509svidExpiresAt))}`);
  // A banned agent has no serial number to show.
  if (agent.banned) call.line('Banned            : true');
  else call.line(`Serial number     : ${agent.x509svidSerialNumber}`);
  call.line(`Can re-attest     : ${agent.canReattest}`);
  if (agent.agentVersion !== '') call.line(`Agent version     : ${agent.agentVersion}`);
  call.line();
};

/** Commands about the agents of a server. */
export const agentCommands: readonly CallCommand[] = [ban, count, evict, list, purge, show];
