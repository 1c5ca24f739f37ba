import { agentV1 } from '@steeple/proto/server-api';
import { type Call, counted } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { errorText, explain } from '../command-error.ts';
import { boolFlag, durationFlag } from '../go/flag-kind.ts';
import { outputFlag } from '../output-flag.ts';
import { idText } from '../spiffe-id.ts';

interface Expired {
  readonly agent_id: string;
  readonly deleted: boolean;
  readonly error?: string;
}

export const purge: CallCommand = {
  path: 'agent purge',
  synopsis: 'Purge expired agents that were attested using a non-TOFU security model based on a given time',
  on: 'server',
  flags: [
    {
      name: 'expiredFor',
      kind: durationFlag,
      usage:
        "Amount of time that has passed since the agent's SVID has expired. It is used to determine which agents to purge.",
      initial: 2_592_000_000_000_000n,
    },
    {
      name: 'dryRun',
      kind: boolFlag,
      usage: 'Indicates that the command will not perform any action, but will print the agents that would be purged.',
    },
    outputFlag,
  ],
  run: async (call) => {
    const client = call.client(agentV1.Agent);
    const listed = client.listAgents({ filter: { byCanReattest: true }, outputMask: { x509svidExpiresAt: true } });
    const { agents } = await explain('failed to list agents', listed);
    const before = call.io.now() - Number(call.flags.number('expiredFor')) / 1e9;
    const expired: Expired[] = [];
    for (const { id, x509svidExpiresAt } of agents) {
      if (id === undefined || Number(x509svidExpiresAt) >= before) continue;
      const agent_id = idText(id);
      if (call.flags.isOn('dryRun')) expired.push({ agent_id, deleted: false });
      else expired.push({ agent_id, ...(await client.deleteAgent({ id }).then(() => ({ deleted: true }), refused)) });
    }
    call.value({ expired_agents: expired }, () => tell(call, expired));
  },
};

const refused = (error: unknown): Omit<Expired, 'agent_id'> => ({ deleted: false, error: errorText(error) });

const tell = (call: Call, expired: readonly Expired[]): void => {
  if (expired.length === 0) return call.line('No agents to purge.');
  call.line(`Found ${counted(expired.length, 'expired agent', 'expired agents')}\n`);
  const name = ({ agent_id }: Expired): void => call.line(`SPIFFE ID         : ${agent_id}`);
  if (call.flags.isOn('dryRun')) {
    call.line('\nAgents that can be purged:');
    return expired.forEach(name);
  }
  const [gone, kept] = [expired.filter(({ deleted }) => deleted), expired.filter(({ deleted }) => !deleted)];
  if (gone.length > 0) call.line('Agents purged:');
  gone.forEach(name);
  if (kept.length > 0) call.line('Agents not purged:');
  for (const one of kept) {
    name(one);
    call.line(`Error             : ${one.error ?? ''}`);
  }
};
