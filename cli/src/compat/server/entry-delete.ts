import { entryV1 } from '@steeple/proto/server-api';
import type { Call } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import { outputFlag } from '../output-flag.ts';
import { readInput, readJson } from '../read-input.ts';
import { failure, isGood } from './results.ts';

export const deleteEntry: CallCommand = {
  path: 'entry delete',
  synopsis: 'Deletes registration entries',
  on: 'server',
  flags: [
    { name: 'entryID', kind: stringFlag, usage: 'The Registration Entry ID of the record to delete.' },
    {
      name: 'file',
      kind: stringFlag,
      usage:
        "Path to a file containing a JSON structure for batch deletion (optional). If set to '-', read from stdin.",
    },
    outputFlag,
  ],
  run: async (call) => {
    const ids = await idsOf(call);
    const answer = await call.client(entryV1.Entry).batchDeleteEntry({ ids });
    await call.answer(entryV1.BatchDeleteEntryResponseSchema, answer, () => tell(call, answer.results));
  },
};

const idsOf = async ({ flags, io }: Call): Promise<string[]> => {
  const path = flags.text('file');
  if (path === '') {
    if (flags.text('entryID') === '') throw new CommandError('an entry ID is required');
    return [flags.text('entryID')];
  }
  const json = readJson(await readInput(path, io)) as { ids?: unknown } | null;
  const ids = json?.ids ?? [];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw new CommandError('json: ids must be a list of entry IDs');
  }
  return ids;
};

const tell = (call: Call, results: readonly entryV1.BatchDeleteEntryResponse_Result[]): void => {
  const [gone, kept] = [results.filter(isGood), results.filter((result) => !isGood(result))];
  for (const { id } of gone) call.line(`Deleted entry with ID: ${id}`);
  if (gone.length > 0) call.io.out('\n\n');
  for (const result of kept) call.io.err(`Failed to delete entry with ID ${result.id} ${failure(result)}\n`);
  if (kept.length === 0) return call.io.out(`Deleted ${gone.length} entries successfully`);
  call.io.out('\n\n');
  call.io.out(
    gone.length === 0
      ? `Failed to delete ${kept.length} entries`
      : `Deleted ${gone.length} entries successfully, but failed to delete ${kept.length} entries`,
  );
  throw new CommandError('failed to delete one or more entries');
};
