import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { bundleV1 } from '@steeple/proto/server-api';
import { bundleFrom } from '../../bundle-text.ts';
import { UserError } from '../../exit.ts';
import { text } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { trustDomain } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';

export async function run(options: Options, context: CliContext, [domain = '']: readonly string[]): Promise<void> {
  const name = trustDomain(domain, 'trust domain');
  const content = await contentOf(text(options, 'path'));
  const bundle = bundleFrom(
    name,
    content,
    text(options, 'format') ?? (content.trimStart().startsWith('{') ? 'spiffe' : 'pem'),
  );
  const answer = await onServer(bundleV1.Bundle, options, context, (client) =>
    client.batchSetFederatedBundle({ bundle: [bundle] }),
  );
  await print(context, options, bundleV1.BatchSetFederatedBundleResponseSchema, answer, () =>
    answer.results.every(({ status }) => status?.code === 0) ? `stored the bundle of ${name}` : '',
  );
  failRefused(context, answer.results, () => name);
}

async function contentOf(path: string | undefined): Promise<string> {
  if (path === undefined) return readAll(process.stdin);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`--path: ${error instanceof Error ? error.message : String(error)}`);
  });
}
