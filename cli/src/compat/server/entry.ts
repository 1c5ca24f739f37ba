import { create } from '@bufbuild/protobuf';
import { entryV1, type types } from '@steeple/proto/server-api';
import { type Call, counted } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, explain } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import { outputFlag } from '../output-flag.ts';
import { createEntry } from './entry-create.ts';
import { deleteEntry } from './entry-delete.ts';
import { entryFilter, entryFilterFlags } from './entry-filter.ts';
import { ordered } from './entry-order.ts';
import { entryText } from './entry-text.ts';
import { updateEntry } from './entry-update.ts';

const count: CallCommand = {
  path: 'entry count',
  synopsis: 'Count registration entries',
  on: 'server',
  flags: [...entryFilterFlags('count'), outputFlag],
  run: async (call) => {
    const answer = await call.client(entryV1.Entry).countEntries({ filter: entryFilter(call.flags) });
    await call.answer(entryV1.CountEntriesResponseSchema, answer, () =>
      call.line(counted(answer.count, 'registration entry', 'registration entries')),
    );
  },
};

const show: CallCommand = {
  path: 'entry show',
  synopsis: 'Displays configured registration entries',
  on: 'server',
  flags: [
    ...entryFilterFlags('show'),
    { name: 'entryID', kind: stringFlag, usage: 'The Entry ID of the records to show' },
    outputFlag,
  ],
  run: async (call) => {
    const id = call.flags.text('entryID');
    const others = [call.flags.text('parentID'), call.flags.text('spiffeID'), ...call.flags.list('selector')];
    if (id !== '' && others.some((value) => value !== '')) {
      throw new CommandError("the -entryID flag can't be combined with others");
    }
    const found = id === '' ? await all(call) : [await one(call, id)];
    const answer = create(entryV1.ListEntriesResponseSchema, { entries: ordered(found) });
    await call.answer(entryV1.ListEntriesResponseSchema, answer, () => {
      call.line(`Found ${counted(answer.entries.length, 'entry', 'entries')}`);
      for (const entry of answer.entries) call.io.out(entryText(entry));
    });
  },
};

const one = (call: Call, id: string): Promise<types.Entry> =>
  explain(`error fetching entry ID ${id}`, call.client(entryV1.Entry).getEntry({ id }));

const all = async (call: Call): Promise<types.Entry[]> => {
  const filter = entryFilter(call.flags);
  const client = call.client(entryV1.Entry);
  const entries: types.Entry[] = [];
  for (let pageToken = ''; ; ) {
    const page = await explain('error fetching entries', client.listEntries({ filter, pageSize: 500, pageToken }));
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
    if (pageToken === '') return entries;
  }
};

/** Commands about registration entries. */
export const entryCommands: readonly CallCommand[] = [count, createEntry, deleteEntry, show, updateEntry];
