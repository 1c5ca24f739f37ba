import { localauthorityV1 } from '@steeple/proto/server-api';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

const SCHEMA = localauthorityV1.TaintX509UpstreamAuthorityResponseSchema;

export async function run(
  options: Options,
  context: CliContext,
  [subjectKeyId = '']: readonly string[],
): Promise<void> {
  const answer = await onServer(localauthorityV1.LocalAuthority, options, context, (client) =>
    client.taintX509UpstreamAuthority({ subjectKeyId }),
  );
  await print(context, options, SCHEMA, answer, () => `tainted ${answer.upstreamAuthoritySubjectKeyId}`);
}
