import { trustdomainV1 } from '@steeple/proto/server-api';
import { requiredText } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { endpointProfile, endpointUrl, firstBundle } from '../../relationship-flags.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';

export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  const url = endpointUrl(options) ?? requiredText(options, 'endpointUrl', '--endpoint-url');
  const profile = endpointProfile({ profile: 'https_spiffe', ...options }, name);
  if (profile === undefined) throw new Error('a profile was given');
  const bundle = await firstBundle(options, name, { url, profile }, context);
  const answer = await onServer(trustdomainV1.TrustDomain, options, context, (client) =>
    client.batchCreateFederationRelationship({
      federationRelationships: [
        {
          trustDomain: name,
          bundleEndpointUrl: url,
          bundleEndpointProfile: profile,
          ...(bundle && { trustDomainBundle: bundle }),
        },
      ],
    }),
  );
  await print(context, options, trustdomainV1.BatchCreateFederationRelationshipResponseSchema, answer, () =>
    answer.results.every(({ status }) => status?.code === 0) ? `following ${name}` : '',
  );
  if (profile.case === 'httpsSpiffe' && bundle === undefined) {
    context.err(
      `${name} is recognised once its bundle is known: \`steeple bundle set ${name}\`, if it is not there yet`,
    );
  }
  failRefused(context, answer.results, () => name);
}
