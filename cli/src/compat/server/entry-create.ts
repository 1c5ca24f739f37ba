import { entryV1 } from '@steeple/proto/server-api';
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
import { tellEntries } from './tell-entries.ts';

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
    await tellEntries(call, entryV1.BatchCreateEntryResponseSchema, answer, { verb: 'create', entries });
  },
};

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
