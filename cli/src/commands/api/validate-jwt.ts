import { ValidateJWTSVIDResponseSchema } from '@steeple/proto/workload';
import { requiredText } from '../../flags.ts';
import { print } from '../../output/print.ts';
import type { CliContext, Options } from '../../verb.ts';
import { onWorkloadApi, securityHeader } from '../../workload-client.ts';

export async function run(options: Options, context: CliContext, [svid = '']: readonly string[]): Promise<void> {
  const audience = requiredText(options, 'audience', '--audience');
  const answer = await onWorkloadApi(options, context, (client) =>
    client.validateJWTSVID({ audience, svid }, { metadata: securityHeader, deadline: 30, signal: context.signal }),
  );
  await print(
    context,
    options,
    ValidateJWTSVIDResponseSchema,
    answer,
    () => `valid for ${audience}\nSPIFFE ID: ${answer.spiffeId}\nclaims: ${JSON.stringify(answer.claims ?? {})}`,
  );
}
