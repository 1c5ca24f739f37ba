import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { bundleV1, types } from '@steeple/proto/server-api';
import { bundleDetails, bundleFrom } from '../../bundle-text.ts';
import { UserError } from '../../exit.ts';
import { text } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const content = await contentOf(text(options, 'path'));
  const form = text(options, 'format') ?? (content.trimStart().startsWith('{') ? 'spiffe' : 'pem');
  const bundle = await onServer(bundleV1.Bundle, options, context, async (client) => {
    const { trustDomain } = await client.getBundle({ outputMask: {} });
    const { x509Authorities = [], jwtAuthorities = [] } = bundleFrom(trustDomain, content, form);
    return client.appendBundle({ x509Authorities, jwtAuthorities });
  });
  await print(context, options, types.BundleSchema, bundle, () => bundleDetails(bundle, context.now()));
}

async function contentOf(path: string | undefined): Promise<string> {
  if (path === undefined) return readAll(process.stdin);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`--path: ${error instanceof Error ? error.message : String(error)}`);
  });
}
