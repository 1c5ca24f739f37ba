import { entryV1, types } from '@steeple/proto/server-api';
import { entryDetails } from '../../output/entry-table.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { FIND_ENTRY, whenMissing } from '../../when-missing.ts';

export async function run(options: Options, context: CliContext, [id = '']: readonly string[]): Promise<void> {
  const entry = await whenMissing(
    FIND_ENTRY,
    onServer(entryV1.Entry, options, context, (client) => client.getEntry({ id })),
  );
  await print(context, options, types.EntrySchema, entry, () => entryDetails(entry, context.now()));
}
