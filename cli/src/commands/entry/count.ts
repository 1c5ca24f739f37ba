import { entryV1 } from '@steeple/proto/server-api';
import { entryFilter } from '../../entry-flags.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const filter = entryFilter(options);
  const answer = await onServer(entryV1.Entry, options, context, (client) => client.countEntries({ filter }));
  await print(context, options, entryV1.CountEntriesResponseSchema, answer, () => String(answer.count));
}
