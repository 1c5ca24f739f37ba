import { bundleV1 } from '@steeple/proto/server-api';
import { text } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';

const { RESTRICT, DELETE, DISSOCIATE } = bundleV1.BatchDeleteFederatedBundleRequest_Mode;
const modes = new Map([
  ['restrict', RESTRICT],
  ['delete', DELETE],
  ['dissociate', DISSOCIATE],
]);

export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  const mode = modes.get(text(options, 'mode') ?? '') ?? RESTRICT;
  const answer = await onServer(bundleV1.Bundle, options, context, (client) =>
    client.batchDeleteFederatedBundle({ trustDomains: [name], mode }),
  );
  await print(context, options, bundleV1.BatchDeleteFederatedBundleResponseSchema, answer, () =>
    answer.results.every(({ status }) => status?.code === 0) ? `deleted the bundle of ${name}` : '',
  );
  failRefused(context, answer.results, () => name);
}
