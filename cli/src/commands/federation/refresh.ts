import { trustdomainV1 } from '@steeple/proto/server-api';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  await onServer(trustdomainV1.TrustDomain, options, context, (client) => client.refreshBundle({ trustDomain: name }));
  context.out(`the bundle of ${name} is fresh`);
}
