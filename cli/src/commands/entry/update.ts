import { Code } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { entryFields } from '../../entry-flags.ts';
import { UserError } from '../../exit.ts';
import { entryDetails } from '../../output/entry-table.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';
import { FIND_ENTRY } from '../../when-missing.ts';

export async function run(options: Options, context: CliContext, [id = '']: readonly string[]): Promise<void> {
  const fields = entryFields(options);
  const inputMask = Object.fromEntries(Object.keys(fields).map((name) => [name, true]));
  if (Object.keys(inputMask).length === 0) {
    throw new UserError('nothing to change', 'name a field, for example --x509-svid-ttl 30m');
  }
  const answer = await onServer(entryV1.Entry, options, context, (client) =>
    client.batchUpdateEntry({ entries: [{ ...fields, id }], inputMask }),
  );
  await print(context, options, entryV1.BatchUpdateEntryResponseSchema, answer, () =>
    answer.results
      .flatMap(({ entry }) => (entry === undefined ? [] : [entryDetails(entry, context.now())]))
      .join('\n\n'),
  );
  failRefused(context, answer.results, () => id, { [Code.NOT_FOUND]: FIND_ENTRY });
}
