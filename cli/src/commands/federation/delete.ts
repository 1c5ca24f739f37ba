import { bundleV1, trustdomainV1 } from '@steeple/proto/server-api';
import { isOn } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';

const { DISSOCIATE } = bundleV1.BatchDeleteFederatedBundleRequest_Mode;

export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  const answer = await onServer(trustdomainV1.TrustDomain, options, context, (client) =>
    client.batchDeleteFederationRelationship({ trustDomains: [name] }),
  );
  const isGone = answer.results.every(({ status }) => status?.code === 0);
  await print(context, options, trustdomainV1.BatchDeleteFederationRelationshipResponseSchema, answer, () =>
    isGone ? `not following ${name} any more` : '',
  );
  failRefused(context, answer.results, () => name);
  if (!isOn(options, 'withBundle')) return;
  const deleted = await onServer(bundleV1.Bundle, options, context, (client) =>
    client.batchDeleteFederatedBundle({ trustDomains: [name], mode: DISSOCIATE }),
  );
  failRefused(context, deleted.results, () => `the bundle of ${name}`);
}
