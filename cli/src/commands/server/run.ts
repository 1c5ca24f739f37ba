import { systemClock } from '@steeple/daemon';
import { createServer, parseServerConfig } from '@steeple/server';
import { configDocument, daemonLogger } from '../../daemon-config.ts';
import { runDaemons } from '../../run-daemon.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const config = parseServerConfig(await configDocument(options), context.env);
  const logger = daemonLogger(options, config);
  await runDaemons([createServer(config, { clock: systemClock, logger })], context);
}
