import { debugV1 } from '@steeple/proto/server-api';
import { chainLines } from '../../output/chain-lines.ts';
import { print } from '../../output/print.ts';
import { span } from '../../output/relative-time.ts';
import { details } from '../../output/table.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const info = await onServer(debugV1.Debug, options, context, (client) => client.getInfo({}));
  await print(context, options, debugV1.GetInfoResponseSchema, info, () =>
    details([
      ['up', span(info.uptime)],
      ['agents', String(info.agentsCount)],
      ['entries', String(info.entriesCount)],
      ['bundles', String(info.federatedBundlesCount)],
      ...chainLines(info.svidChain, context.now()),
    ]),
  );
}
