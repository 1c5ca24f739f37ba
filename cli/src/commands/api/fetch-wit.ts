import { WITSVIDResponseSchema } from '@steeple/proto/workload';
import { text } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { first, onWorkloadApi, securityHeader } from '../../workload-client.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const id = text(options, 'spiffeId') ?? '';
  if (id !== '') spiffeId(id, '--spiffe-id');
  const answer = await onWorkloadApi(options, context, (client) =>
    first(client.fetchWITSVID({ spiffeId: id }, { metadata: securityHeader, deadline: 30, signal: context.signal })),
  );
  await print(context, options, WITSVIDResponseSchema, answer, () =>
    answer.svids.map(({ spiffeId: owner, witSvid }) => `# ${owner}\n${witSvid}`).join('\n'),
  );
}
