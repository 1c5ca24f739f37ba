import { svidV1 } from '@steeple/proto/server-api';
import { requiredText, texts, wholeSeconds } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const id = spiffeId(requiredText(options, 'spiffeId', '--spiffe-id'), '--spiffe-id');
  const audience = [...texts(options, 'audience')];
  const ttl = wholeSeconds(options, 'ttl', '--ttl');
  const answer = await onServer(svidV1.SVID, options, context, (client) => client.mintJWTSVID({ id, audience, ttl }));
  await print(context, options, svidV1.MintJWTSVIDResponseSchema, answer, () => answer.svid?.token ?? '');
}
