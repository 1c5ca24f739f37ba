import { Code, type ServiceClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { clearedFields } from '../../cleared-fields.ts';
import { type EntryInit, entryFields } from '../../entry-flags.ts';
import { UserError } from '../../exit.ts';
import { entryDetails } from '../../output/entry-table.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';
import { FIND_ENTRY } from '../../when-missing.ts';

export async function run(options: Options, context: CliContext, [id = '']: readonly string[]): Promise<void> {
  const fields = merged(entryFields(options), clearedFields(options));
  const inputMask = Object.fromEntries(Object.keys(fields).map((name) => [name, true]));
  if (Object.keys(inputMask).length === 0) {
    throw new UserError('nothing to change', 'name a field, for example --x509-svid-ttl 30m');
  }
  const answer = await onServer(entryV1.Entry, options, context, async (client) => {
    const entry = { ...fields, id, ...(fields.additionalAttributes && (await attributes(client, id, fields))) };
    return client.batchUpdateEntry({ entries: [entry], inputMask });
  });
  await print(context, options, entryV1.BatchUpdateEntryResponseSchema, answer, () =>
    answer.results
      .flatMap(({ entry }) => (entry === undefined ? [] : [entryDetails(entry, context.now())]))
      .join('\n\n'),
  );
  failRefused(context, answer.results, () => id, { [Code.NOT_FOUND]: FIND_ENTRY });
}

/** What is both given and cleared is a mistake. */
function merged(given: EntryInit, cleared: EntryInit): EntryInit {
  const both = Object.keys(given).find((name) => name in cleared && name !== 'additionalAttributes');
  if (both !== undefined) throw new UserError(`${both} is to be set and cleared`, 'decide for one of them');
  const parts = [given.additionalAttributes, cleared.additionalAttributes].filter((part) => part !== undefined);
  return {
    ...given,
    ...cleared,
    ...(parts.length > 0 && { additionalAttributes: Object.assign({}, ...parts) as object }),
  };
}

/** Servers replace these as one; those that no flag names stay as they are. */
async function attributes(
  client: ServiceClient<typeof entryV1.Entry>,
  id: string,
  { additionalAttributes }: EntryInit,
): Promise<Pick<EntryInit, 'additionalAttributes'>> {
  const stored = await client.getEntry({ id, outputMask: { additionalAttributes: true } });
  const { disableX509SvidPrefetch = false, jwtSvidIncludeJti = false } = stored.additionalAttributes ?? {};
  return { additionalAttributes: { disableX509SvidPrefetch, jwtSvidIncludeJti, ...additionalAttributes } };
}
