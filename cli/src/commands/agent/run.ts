import { createAgent, parseAgentConfig } from '@steeple/agent';
import { systemClock } from '@steeple/daemon';
import { configDocument, daemonLogger } from '../../daemon-config.ts';
import { text } from '../../flags.ts';
import { runDaemons } from '../../run-daemon.ts';
import type { CliContext, Options } from '../../verb.ts';
import { withJoinToken } from './with-join-token.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const document = withJoinToken(await configDocument(options), text(options, 'joinToken'));
  const config = parseAgentConfig(document, context.env);
  await runDaemons([createAgent(config, { clock: systemClock, logger: daemonLogger(options, config) })], context);
}
