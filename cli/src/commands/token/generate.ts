import { agentV1, types } from '@steeple/proto/server-api';
import { text, wholeSeconds } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { relativeTime } from '../../output/relative-time.ts';
import { onServer } from '../../server-client.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const id = text(options, 'spiffeId');
  const ttl = options['ttl'] === undefined ? 600 : wholeSeconds(options, 'ttl', '--ttl');
  const token = await onServer(agentV1.Agent, options, context, (client) =>
    client.createJoinToken({ ttl, ...(id === undefined ? {} : { agentId: spiffeId(id, '--spiffe-id') }) }),
  );
  await print(context, options, types.JoinTokenSchema, token, () =>
    [
      token.value,
      `  usable once, expires ${relativeTime(Number(token.expiresAt), context.now())}`,
      `  on the node: steeple agent run --config agent.conf --join-token ${token.value}`,
    ].join('\n'),
  );
}
