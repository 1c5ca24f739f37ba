import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { types } from '@steeple/proto/server-api';
import type { Call } from '../call.ts';
import type { EntryInit } from './entry-flags.ts';
import { entryText } from './entry-text.ts';
import { isGood, type Result, tellResults } from './results.ts';

type EntryResult = Result & { entry?: types.Entry | undefined };

/** The answer to a batch of entries, each with what became of it. */
export async function tellEntries<S extends DescMessage>(
  call: Call,
  schema: S,
  answer: MessageShape<S> & { results: EntryResult[] },
  { verb, entries }: { readonly verb: string; readonly entries: readonly EntryInit[] },
): Promise<void> {
  showRefused(answer.results, entries);
  await call.answer(schema, answer, () =>
    tellResults(call, answer.results, { verb, one: 'entry', many: 'entries' }, ({ entry }) =>
      entryText(entry ?? create(types.EntrySchema)),
    ),
  );
}

/** Servers do not send back what they refused; the request's entry is shown instead. */
function showRefused(results: EntryResult[], entries: readonly EntryInit[]): void {
  for (const [index, result] of results.entries()) {
    if (!isGood(result)) result.entry = create(types.EntrySchema, entries[index] ?? {});
  }
}
