import { agentV1 } from '@steeple/proto/server-api';
import { agentFilter } from '../../agent-flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const filter = agentFilter(options);
  const answer = await onServer(agentV1.Agent, options, context, (client) => client.countAgents({ filter }));
  await print(context, options, agentV1.CountAgentsResponseSchema, answer, () => String(answer.count));
}
