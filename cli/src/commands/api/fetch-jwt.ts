import { JWTSVIDResponseSchema } from '@steeple/proto/workload';
import { text, texts } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { onWorkloadApi, securityHeader } from '../../workload-client.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const id = text(options, 'spiffeId') ?? '';
  if (id !== '') spiffeId(id, '--spiffe-id');
  const request = { audience: [...texts(options, 'audience')], spiffeId: id };
  const answer = await onWorkloadApi(options, context, (client) =>
    client.fetchJWTSVID(request, { metadata: securityHeader, deadline: 30, signal: context.signal }),
  );
  await print(context, options, JWTSVIDResponseSchema, answer, () =>
    answer.svids
      .map(({ spiffeId: owner, svid, hint }) => `# ${owner}${hint === '' ? '' : ` (${hint})`}\n${svid}`)
      .join('\n'),
  );
}
