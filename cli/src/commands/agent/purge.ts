import { agentV1 } from '@steeple/proto/server-api';
import { Failed } from '../../exit.ts';
import { isOn, seconds } from '../../flags.ts';
import { formatOf, printValue } from '../../output/print.ts';
import { allAgents } from '../../pages.ts';
import { onServer } from '../../server-client.ts';
import { idText } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';

interface Purged {
  readonly agent_id: string;
  readonly deleted: boolean;
  readonly error: string;
}

export async function run(options: Options, context: CliContext): Promise<void> {
  const expiredFor = options['expiredFor'] === undefined ? 720 * 3600 : seconds(options, 'expiredFor', '--expired-for');
  const before = context.now() - expiredFor;
  const dryRun = isOn(options, 'dryRun');
  const purged = await onServer(agentV1.Agent, options, context, async (client) => {
    const agents = await allAgents(client, { byCanReattest: true });
    const due = agents.filter((agent) => !agent.banned && Number(agent.x509svidExpiresAt) < before);
    const done: Purged[] = [];
    for (const { id } of due) {
      const error = dryRun || id === undefined ? '' : await client.deleteAgent({ id }).then(() => '', String);
      done.push({ agent_id: idText(id), deleted: !dryRun && error === '', error });
    }
    return done;
  });
  const format = formatOf(options);
  if (format === 'json' || format === 'yaml') await printValue(context, format, { expired_agents: purged });
  else context.out(readable(purged, dryRun));
  if (purged.some(({ error }) => error !== '')) throw new Failed('not all were evicted');
}

function readable(purged: readonly Purged[], dryRun: boolean): string {
  if (purged.length === 0) return 'no agent has been expired for that long';
  return purged
    .map(({ agent_id, error }) =>
      error === '' ? `${dryRun ? 'would evict' : 'evicted'} ${agent_id}` : `${agent_id}: ${error}`,
    )
    .join('\n');
}
