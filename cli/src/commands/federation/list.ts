import { create } from '@bufbuild/protobuf';
import { trustdomainV1, type types } from '@steeple/proto/server-api';
import { print } from '../../output/print.ts';
import { relationshipTable } from '../../output/relationship-table.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const federationRelationships = await onServer(trustdomainV1.TrustDomain, options, context, async (client) => {
    const all: types.FederationRelationship[] = [];
    for (let pageToken = ''; ; ) {
      const page = await client.listFederationRelationships({ pageSize: 100, pageToken });
      all.push(...page.federationRelationships);
      pageToken = page.nextPageToken;
      if (pageToken === '') return all;
    }
  });
  const schema = trustdomainV1.ListFederationRelationshipsResponseSchema;
  await print(context, options, schema, create(schema, { federationRelationships }), (look) =>
    relationshipTable(federationRelationships, look),
  );
}
