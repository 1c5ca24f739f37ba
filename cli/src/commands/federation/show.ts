import { trustdomainV1, types } from '@steeple/proto/server-api';
import { bundleDetails } from '../../bundle-text.ts';
import { print } from '../../output/print.ts';
import { relationshipDetails } from '../../output/relationship-table.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  const found = await onServer(trustdomainV1.TrustDomain, options, context, (client) =>
    client.getFederationRelationship({ trustDomain: name }),
  );
  await print(context, options, types.FederationRelationshipSchema, found, () => {
    const { trustDomainBundle: bundle } = found;
    const shown = bundle === undefined ? 'its bundle is not known yet' : bundleDetails(bundle, context.now());
    return `${relationshipDetails(found)}\n\n${shown}`;
  });
}
