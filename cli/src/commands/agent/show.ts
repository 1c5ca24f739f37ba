import { agentV1, types } from '@steeple/proto/server-api';
import { agentTable } from '../../output/agent-table.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { FIND_AGENT, whenMissing } from '../../when-missing.ts';

export async function run(options: Options, context: CliContext, [text = '']: readonly string[]): Promise<void> {
  const id = spiffeId(text, 'agent');
  const agent = await whenMissing(
    FIND_AGENT,
    onServer(agentV1.Agent, options, context, (client) => client.getAgent({ id })),
  );
  await print(context, options, types.AgentSchema, agent, (look) =>
    agentTable([agent], context.now(), { ...look, wide: true }),
  );
}
