import { trustdomainV1 } from '@steeple/proto/server-api';
import { UserError } from '../../exit.ts';
import { print } from '../../output/print.ts';
import { endpointProfile, endpointUrl, firstBundle } from '../../relationship-flags.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';

/** Only what is given changes. */
export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  const given = { url: endpointUrl(options), profile: endpointProfile(options, name) };
  const answer = await onServer(trustdomainV1.TrustDomain, options, context, async (client) => {
    const old = await client.getFederationRelationship({ trustDomain: name });
    const next = { url: given.url ?? old.bundleEndpointUrl, profile: given.profile ?? old.bundleEndpointProfile };
    const bundle = await firstBundle(options, name, next, context);
    if (given.url === undefined && given.profile === undefined && bundle === undefined) {
      throw new UserError('there is nothing to change', 'see --help for what can be');
    }
    return client.batchUpdateFederationRelationship({
      federationRelationships: [
        {
          trustDomain: name,
          bundleEndpointUrl: next.url,
          bundleEndpointProfile: next.profile,
          ...(bundle && { trustDomainBundle: bundle }),
        },
      ],
      inputMask: {
        bundleEndpointUrl: given.url !== undefined,
        bundleEndpointProfile: given.profile !== undefined,
        trustDomainBundle: bundle !== undefined,
      },
    });
  });
  await print(context, options, trustdomainV1.BatchUpdateFederationRelationshipResponseSchema, answer, () =>
    answer.results.every(({ status }) => status?.code === 0) ? `updated the relationship with ${name}` : '',
  );
  failRefused(context, answer.results, () => name);
}
