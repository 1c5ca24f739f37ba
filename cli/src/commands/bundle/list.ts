import { create } from '@bufbuild/protobuf';
import { bundleV1, type types } from '@steeple/proto/server-api';
import { bundleDetails, pemOf } from '../../bundle-text.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { documentAsked, printBundle } from './show.ts';

export async function run(options: Options, context: CliContext, [domain]: readonly string[]): Promise<void> {
  await onServer(bundleV1.Bundle, options, context, async (client) => {
    if (domain !== undefined) {
      const name = trustDomain(domain, 'trust domain');
      return printBundle(options, context, await client.getFederatedBundle({ trustDomain: name }));
    }
    const bundles: types.Bundle[] = [];
    for (let pageToken = ''; ; ) {
      const page = await client.listFederatedBundles({ pageSize: 100, pageToken });
      bundles.push(...page.bundles);
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    if (options['format'] !== undefined) {
      for (const bundle of bundles)
        context.out(
          `# ${bundle.trustDomain}\n${options['format'] === 'pem' ? pemOf(bundle) : documentAsked(options, bundle)}`,
        );
      return;
    }
    const answer = create(bundleV1.ListFederatedBundlesResponseSchema, { bundles });
    await print(context, options, bundleV1.ListFederatedBundlesResponseSchema, answer, () =>
      bundles.length === 0
        ? 'no bundles of other trust domains; add one with `steeple bundle set`'
        : bundles.map((bundle) => bundleDetails(bundle, context.now())).join('\n\n'),
    );
  });
}
