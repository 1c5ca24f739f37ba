import { bundleV1, types } from '@steeple/proto/server-api';
import { bundleDetails, documentOf, pemOf } from '../../bundle-text.ts';
import { isOn } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const bundle = await onServer(bundleV1.Bundle, options, context, (client) => client.getBundle({}));
  await printBundle(options, context, bundle);
}

/** As --format asks; otherwise as --output asks. */
export async function printBundle(options: Options, context: CliContext, bundle: types.Bundle): Promise<void> {
  if (options['format'] === 'pem') context.out(pemOf(bundle));
  else if (options['format'] === 'spiffe') context.out(documentAsked(options, bundle));
  else await print(context, options, types.BundleSchema, bundle, () => bundleDetails(bundle, context.now()));
}

/** The SPIFFE bundle document, without WIT keys if that was asked. */
export function documentAsked(options: Options, bundle: types.Bundle): string {
  return documentOf(bundle, { wit: !isOn(options, 'withoutWit') });
}
