import { create } from '@bufbuild/protobuf';
import { entryV1, types } from '@steeple/proto/server-api';
import type { CallCommand } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { boolFlag, stringFlag } from '../go/flag-kind.ts';
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
import { entryText } from './entry-text.ts';
import { isGood, type Result, tellResults } from './results.ts';

export const createEntry: CallCommand = {
  path: 'entry create',
  synopsis: 'Creates registration entries',
  on: 'server',
  flags: [
    ...entryFlags,
    {
      name: 'entryID',
      kind: stringFlag,
      usage: 'A custom ID for this registration entry (optional). If not set, a new entry ID will be generated',
    },
    {
      name: 'node',
      kind: boolFlag,
      usage: 'If set, this entry will be applied to matching nodes rather than workloads',
    },
    { name: 'disableX509SVIDPrefetch', kind: boolFlag, usage: PREFETCH_USAGE },
    { name: 'jwtSVIDIncludeJTI', kind: boolFlag, usage: JTI_USAGE },
    outputFlag,
  ],
  run: async (call) => {
    const path = call.flags.text('data');
    const entries = path === '' ? [described(call.flags)] : await readEntryFile(path, call.io);
    const answer = await call.client(entryV1.Entry).batchCreateEntry({ entries });
    showRefused(answer.results, entries);
    await call.answer(entryV1.BatchCreateEntryResponseSchema, answer, () =>
      tellResults(call, answer.results, { verb: 'create', one: 'entry', many: 'entries' }, ({ entry }) =>
        entryText(entry ?? create(types.EntrySchema)),
      ),
    );
  },
};

/** Servers do not send back what they refused; the request's entry is shown instead. */
export function showRefused(
  results: (Result & { entry?: types.Entry | undefined })[],
  entries: readonly EntryInit[],
): void {
  for (const [index, result] of results.entries()) {
    if (!isGood(result)) result.entry = create(types.EntrySchema, entries[index] ?? {});
  }
}

const described = (flags: FlagValues): EntryInit => {
  if (flags.list('selector').length === 0) throw new CommandError('at least one selector is required');
  const isNode = flags.isOn('node');
  if (isNode && flags.list('federatesWith').length > 0) throw new CommandError('node entries can not federate');
  if (flags.text('parentID') === '' && !isNode) {
    throw new CommandError('a parent ID is required if the node flag is not set');
  }
  checkLifetimes(flags);
  const spiffeId = readId(flags.text('spiffeID'));
  const parentId = isNode
    ? { trustDomain: spiffeId.trustDomain, path: '/spire/server' }
    : readId(flags.text('parentID'));
  return entryOf(flags, { spiffeId, parentId });
};
