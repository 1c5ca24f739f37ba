import { create } from '@bufbuild/protobuf';
import { entryV1 } from '@steeple/proto/server-api';
import { entryFilter } from '../../entry-flags.ts';
import { isOn } from '../../flags.ts';
import { entryTable } from '../../output/entry-table.ts';
import { print } from '../../output/print.ts';
import { allEntries } from '../../pages.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { showOrWatch } from '../../watching.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const filter = entryFilter(options);
  await onServer(entryV1.Entry, options, context, (client) =>
    showOrWatch(isOn(options, 'watch'), context, async (screen) => {
      const answer = create(entryV1.ListEntriesResponseSchema, { entries: await allEntries(client, filter) });
      await print(screen, options, entryV1.ListEntriesResponseSchema, answer, (look) =>
        entryTable(answer.entries, context.now(), look),
      );
    }),
  );
}
