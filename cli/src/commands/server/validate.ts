import { checkPlugins, parseServerConfig } from '@steeple/server';
import { configDocument } from '../../daemon-config.ts';
import { requiredText } from '../../flags.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  await checkPlugins(parseServerConfig(await configDocument(options), context.env));
  context.out(`${requiredText(options, 'config', '--config')} is valid`);
}
