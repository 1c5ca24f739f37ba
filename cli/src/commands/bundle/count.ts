import { bundleV1 } from '@steeple/proto/server-api';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const answer = await onServer(bundleV1.Bundle, options, context, (client) => client.countBundles({}));
  await print(context, options, bundleV1.CountBundlesResponseSchema, answer, () => String(answer.count));
}
