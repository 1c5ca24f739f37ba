import { agentV1 } from '@steeple/proto/server-api';
import { onServer } from '../../server-client.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { FIND_AGENT, whenMissing } from '../../when-missing.ts';

export async function run(options: Options, context: CliContext, [text = '']: readonly string[]): Promise<void> {
  const id = spiffeId(text, 'agent');
  await whenMissing(
    FIND_AGENT,
    onServer(agentV1.Agent, options, context, (client) => client.banAgent({ id })),
  );
  context.out(`banned ${text}`);
}
