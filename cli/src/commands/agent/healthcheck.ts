import { workloadSocket } from '../../connect.ts';
import { text } from '../../flags.ts';
import { healthcheck } from '../../healthcheck.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  await healthcheck('agent', workloadSocket(text(options, 'socket'), context.env), context);
}
