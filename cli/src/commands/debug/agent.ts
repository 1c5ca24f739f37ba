import { debugV1 } from '@steeple/proto/agent-api';
import { onAgentAdmin } from '../../agent-admin.ts';
import { chainLines } from '../../output/chain-lines.ts';
import { print } from '../../output/print.ts';
import { relativeTime, span } from '../../output/relative-time.ts';
import { details } from '../../output/table.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const info = await onAgentAdmin(debugV1.Debug, options, context, (client) => client.getInfo({}));
  await print(context, options, debugV1.GetInfoResponseSchema, info, () =>
    details([
      ['up', span(info.uptime)],
      ['last heard of the server', relativeTime(Number(info.lastSyncSuccess), context.now())],
      ['X509-SVIDs', String(info.cachedX509SvidsCount)],
      ['JWT-SVIDs', String(info.cachedJwtSvidsCount)],
      ['X509-SVIDs for stores', String(info.cachedSvidstoreX509SvidsCount)],
      ...chainLines(info.svidChain, context.now()),
    ]),
  );
}
