import { create } from '@bufbuild/protobuf';
import { agentV1 } from '@steeple/proto/server-api';
import { agentFilter } from '../../agent-flags.ts';
import { isOn } from '../../flags.ts';
import { agentTable } from '../../output/agent-table.ts';
import { print } from '../../output/print.ts';
import { allAgents } from '../../pages.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { showOrWatch } from '../../watching.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const filter = agentFilter(options);
  await onServer(agentV1.Agent, options, context, (client) =>
    showOrWatch(isOn(options, 'watch'), context, async (screen) => {
      const answer = create(agentV1.ListAgentsResponseSchema, { agents: await allAgents(client, filter) });
      await print(screen, options, agentV1.ListAgentsResponseSchema, answer, (look) =>
        agentTable(answer.agents, context.now(), look),
      );
    }),
  );
}
