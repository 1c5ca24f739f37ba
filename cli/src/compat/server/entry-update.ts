import { entryV1 } from '@steeple/proto/server-api';
import type { Call } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, explain } from '../command-error.ts';
import { presenceFlag, stringFlag } from '../go/flag-kind.ts';
import type { FlagValues } from '../go/flag-set.ts';
import { outputFlag } from '../output-flag.ts';
import { readEntryFile } from './entry-file.ts';
import {
  checkLifetimes,
  type EntryInit,
  entryFlags,
  entryOf,
  JTI_USAGE,
  PREFETCH_USAGE,
  readId,
} from './entry-flags.ts';
import { tellEntries } from './tell-entries.ts';

export const updateEntry: CallCommand = {
  path: 'entry update',
  synopsis: 'Updates registration entries',
  on: 'server',
  flags: [
    ...entryFlags,
    { name: 'entryID', kind: stringFlag, usage: 'The Registration Entry ID of the record to update' },
    { name: 'disableX509SVIDPrefetch', kind: presenceFlag, usage: PREFETCH_USAGE },
    { name: 'jwtSVIDIncludeJTI', kind: presenceFlag, usage: JTI_USAGE },
    outputFlag,
  ],
  run: async (call) => {
    const path = call.flags.text('data');
    const client = call.client(entryV1.Entry);
    const entries = path === '' ? [await described(call, client)] : await readEntryFile(path, call.io);
    const answer = await client.batchUpdateEntry({ entries });
    await tellEntries(call, entryV1.BatchUpdateEntryResponseSchema, answer, { verb: 'update', entries });
  },
};

type Client = ReturnType<typeof clientOf>;
const clientOf = (call: Call) => call.client(entryV1.Entry);

const described = async ({ flags }: Call, client: Client): Promise<EntryInit> => {
  check(flags);
  const parentId = readId(flags.text('parentID'));
  const entry = entryOf(flags, { spiffeId: readId(flags.text('spiffeID')), parentId });
  if (entry.additionalAttributes === undefined) return entry;
  // An update replaces these attributes as one: those that no flag names are kept.
  const stored = await explain(
    'failed to fetch existing entry to merge additional attributes',
    client.getEntry({ id: flags.text('entryID') }),
  );
  const kept = stored.additionalAttributes;
  return {
    ...entry,
    additionalAttributes: {
      disableX509SvidPrefetch: flags.isOn('disableX509SVIDPrefetch') || (kept?.disableX509SvidPrefetch ?? false),
      jwtSvidIncludeJti: flags.isOn('jwtSVIDIncludeJTI') || (kept?.jwtSvidIncludeJti ?? false),
    },
  };
};

const check = (flags: FlagValues): void => {
  if (flags.text('entryID') === '') throw new CommandError('entry ID is required');
  if (flags.list('selector').length === 0) throw new CommandError('at least one selector is required');
  if (flags.text('parentID') === '') throw new CommandError('a parent ID is required');
  checkLifetimes(flags);
};
